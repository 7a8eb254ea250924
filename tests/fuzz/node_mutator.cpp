// SPDX-License-Identifier: Apache-2.0
#include "fuzz/node_mutator.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "fuzz/node_script.hpp"
#include "fuzz/node_world.hpp"
#include "protocol/base/random.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::size_t step_bytes_max = 4096;

template <class T>
T nudged(Random& random, T value) {
  constexpr std::array<std::uint64_t, 9> edges{
      0,
      1,
      32,
      64,
      0x7fffffff,
      0xffffffff,
      packet_seq_limit,
      packet_seq_limit + 1,
      ~std::uint64_t{0}};
  switch (random.below(4)) {
    case 0:
      return static_cast<T>(value + 1 + random.below(3));
    case 1:
      return static_cast<T>(value - 1 - random.below(3));
    case 2:
      return static_cast<T>(value + random.below(64));
    default:
      return static_cast<T>(edges[random.below(edges.size())] + random.below(2));
  }
}

NodeKey any_daemon(Random& random) {
  const std::uint64_t run = random.below(4) == 0 ? 4 : 0;
  return sender_of(static_cast<std::uint8_t>(random.below(3) + run));
}

void nudge(Random& random, RingId& ring) {
  if (random.below(4) != 0) {
    ring.seq = nudged(random, ring.seq);
    return;
  }
  const NodeKey key = any_daemon(random);
  ring.representative = key.node;
  ring.boot = key.boot;
}

void nudge(Random& random, Seq& seq) { seq = Seq{nudged(random, seq.value)}; }

void toggle(std::vector<NodeKey>& keys, const NodeKey& key) {
  const auto found = std::find(keys.begin(), keys.end(), key);
  if (found != keys.end()) {
    keys.erase(found);
  } else {
    keys.insert(std::upper_bound(keys.begin(), keys.end(), key), key);
  }
}

/// Changes one field; returns the packet's new bytes. A value that the encoder would not take is
/// left as it was.
struct FieldMutator {
  Random& random;

  BufferRef operator()(Data& data) const {
    switch (random.below(5)) {
      case 0:
        nudge(random, data.ring);
        break;
      case 1:
      case 2:
        nudge(random, data.seq);
        break;
      case 3:
        data.originator = any_daemon(random).node;
        break;
      default:
        (random.below(2) == 0 ? data.safe : data.after_token) = random.below(2) == 0;
        break;
    }
    if (data.recovered) {
      encode_recovered(data, data.content());
      return data.datagram();
    }
    std::vector<Entry> entries;
    BufferRef content = data.content();
    for (std::uint16_t i = 0; i < data.entries; ++i) {
      entries.push_back(next_entry(content));
    }
    mutate(entries);
    encode_data(data, entries);
    if (random.below(6) != 0) return data.datagram();
    Data recovered = data;
    recovered.recovered = true;
    encode_recovered(recovered, data.body());
    return recovered.datagram();
  }
  void mutate(std::vector<Entry>& entries) const {
    Entry& entry = entries[random.below(entries.size())];
    switch (random.below(6)) {
      case 0:
        entry.service = static_cast<std::uint8_t>(random.below(5));
        break;
      case 1:
        entry.first = !entry.first;
        break;
      case 2:
        entry.last = !entry.last;
        break;
      case 3:
        entry.total = nudged(random, entry.total);
        break;
      case 4:
        entries.push_back(Entry{entries[random.below(entries.size())]});
        break;
      default:
        break;
    }
  }

  BufferRef operator()(Token& token) const {
    switch (random.below(9)) {
      case 0:
        nudge(random, token.ring);
        break;
      case 1:
        token.token_seq = nudged(random, token.token_seq);
        break;
      case 2:
        nudge(random, token.seq);
        break;
      case 3:
        nudge(random, token.aru);
        break;
      case 4:
        token.aru_id = any_daemon(random).node;
        break;
      case 5:
        token.fcc = nudged(random, token.fcc);
        break;
      case 6:
        token.backlog = nudged(random, token.backlog);
        break;
      case 7:
        (random.below(2) == 0 ? token.retransmitting : token.idle) = random.below(2) == 0;
        break;
      default:
        if (token.rtr.size() < retransmit_ranges_max) {
          token.rtr.push_back(SeqRange{
              Seq{1 + random.below(token.seq.value + 1)},
              static_cast<std::uint32_t>(1 + random.below(8))});
          std::sort(token.rtr.begin(), token.rtr.end());
        }
        break;
    }
    return encode(token);
  }

  BufferRef operator()(Join& join) const {
    switch (random.below(4)) {
      case 0:
        join.leave = !join.leave;
        break;
      case 1:
        join.ring_seq = nudged(random, join.ring_seq);
        break;
      case 2:
        toggle(join.proc, any_daemon(random));
        break;
      default: {
        const NodeKey key = any_daemon(random);
        toggle(join.fail, key);
        if (!std::binary_search(join.proc.begin(), join.proc.end(), key)) toggle(join.proc, key);
        break;
      }
    }
    return encode(join);
  }

  BufferRef operator()(CommitToken& commit) const {
    CommitEntry& entry = commit.members[random.below(commit.members.size())];
    switch (random.below(11)) {
      case 0:
        nudge(random, commit.ring);
        break;
      case 1:
      case 2:
        commit.hop = nudged(random, commit.hop);
        break;
      case 3:
        entry.filled = !entry.filled;
        break;
      case 4:
        nudge(random, entry.old_ring);
        break;
      case 5:
        nudge(random, entry.old_aru);
        break;
      case 6:
        nudge(random, entry.high_delivered);
        break;
      case 7:
        nudge(random, entry.received_ring);
        break;
      case 8:
        entry.obligation.flip(random.below(4));
        break;
      case 9:
        entry.datagram_bytes = nudged(random, entry.datagram_bytes);
        break;
      default:
        entry.window_packets = nudged(random, entry.window_packets);
        entry.window_bytes = nudged(random, entry.window_bytes);
        break;
    }
    return encode(commit);
  }

  BufferRef operator()(Probe& probe) const {
    nudge(random, probe.ring);
    probe.echo = any_daemon(random).boot;
    return encode(probe);
  }

  BufferRef operator()(Wakeup& wakeup) const {
    nudge(random, wakeup.ring);
    return encode(wakeup);
  }
};

/// A packet whose fields can be read gets one of them changed; true when that was done.
bool mutate_fields(Random& random, Step& step) {
  if (step.action != Action::packet || step.bytes.empty()) return false;
  const auto body = std::span{step.bytes}.subspan(1);
  auto datagram = BufferRef::allocate(packet_header_bytes + body.size() + tag_bytes);
  const auto room = datagram.writable();
  std::fill(room.begin(), room.end(), std::byte{0});
  room[3] = step.bytes[0];
  std::copy(body.begin(), body.end(), room.subspan(packet_header_bytes).begin());
  auto packet = decode(datagram);
  if (!packet) return false;
  const BufferRef changed = std::visit(FieldMutator{random}, packet->body);
  const auto bytes = changed.bytes().first(changed.size() - tag_bytes);
  step.bytes.assign(1, bytes[3]);
  step.bytes.insert(step.bytes.end(), bytes.begin() + packet_header_bytes, bytes.end());
  return true;
}

void mutate_raw(Random& random, Step& step, ByteMutator mutate_bytes) {
  if (random.below(3) == 0) step.a = static_cast<std::uint8_t>(random.below(256));
  if (random.below(3) == 0) step.b = static_cast<std::uint8_t>(random.below(256));
  std::vector<std::byte> bytes = step.bytes;
  const std::size_t size = bytes.size();
  bytes.resize(std::min(size + 64, std::max(step_bytes_max, size)));
  // libFuzzer's bytes are unsigned char.
  auto* const raw = reinterpret_cast<std::uint8_t*>(bytes.data());
  bytes.resize(mutate_bytes(raw, size, bytes.size()));
  step.bytes = std::move(bytes);
}

Step invented(Random& random) {
  Step step;
  // Reflections keep a ring going that was torn away from its recorded partners.
  step.action =
      random.below(2) == 0 ? Action::reflect : static_cast<Action>(1 + random.below(actions - 1U));
  if (step.action == Action::leave && random.below(4) != 0) step.action = Action::timer;
  step.a = static_cast<std::uint8_t>(random.below(16));
  step.b = static_cast<std::uint8_t>(random.below(random.below(2) == 0 ? 4 : 256));
  if (step.action == Action::reflect) {
    step.bytes = {std::byte{static_cast<std::uint8_t>(1 + random.below(3))}, std::byte{1}};
  } else if (step.action == Action::ask) {
    step.bytes.assign(random.below(random.below(8) == 0 ? 3000 : 40), std::byte{1});
  }
  return step;
}

std::size_t any_place(Random& random, const NodeScript& script) {
  return static_cast<std::size_t>(random.below(script.size() + 1));
}

void insert_at(NodeScript& script, std::size_t place, Step step) {
  script.insert(script.begin() + static_cast<std::ptrdiff_t>(place), std::move(step));
}

void mutate_once(Random& random, NodeScript& script, ByteMutator mutate_bytes) {
  if (script.empty() || random.below(8) == 0) {
    insert_at(script, any_place(random, script), invented(random));
    return;
  }
  const std::size_t at = static_cast<std::size_t>(random.below(script.size()));
  const auto here = script.begin() + static_cast<std::ptrdiff_t>(at);
  switch (random.below(9)) {
    case 0:
      script.erase(here);
      break;
    case 1:
      insert_at(script, any_place(random, script), Step{*here});
      break;
    case 2:
      std::swap(*here, script[random.below(script.size())]);
      break;
    case 3:
      mutate_raw(random, *here, mutate_bytes);
      break;
    case 4:
      here->a = static_cast<std::uint8_t>(random.below(16) + 128 * random.below(2));
      break;
    case 5:
      script.resize(at + 1);
      break;
    default:
      if (!mutate_fields(random, *here)) mutate_raw(random, *here, mutate_bytes);
      break;
  }
}

std::size_t write(const NodeScript& script, std::span<std::byte> room) {
  const auto bytes = encode_script(script, room.size() - 1);
  std::copy(bytes.begin(), bytes.end(), room.subspan(1).begin());
  return bytes.size() + 1;
}

}  // namespace

std::size_t mutate_node(
    std::span<std::byte> room, std::size_t size, std::uint64_t seed, ByteMutator mutate_bytes) {
  Random random(seed);
  if (size == 0) room[0] = std::byte{0};
  if (random.below(64) == 0) room[0] = std::byte{static_cast<std::uint8_t>(random.below(3))};
  auto script = decode_script(room.first(std::max<std::size_t>(size, 1)).subspan(1));
  const std::uint64_t times = 1 + random.below(4);
  for (std::uint64_t i = 0; i < times; ++i) {
    mutate_once(random, script, mutate_bytes);
  }
  return write(script, room);
}

std::size_t cross_nodes(
    std::span<const std::byte> one,
    std::span<const std::byte> other,
    std::span<std::byte> room,
    std::uint64_t seed) {
  if (one.empty() || other.empty()) return 0;
  Random random(seed);
  auto script = decode_script(one.subspan(1));
  const auto more = decode_script(other.subspan(1));
  script.resize(any_place(random, script));
  for (std::size_t i = any_place(random, more); i < more.size(); ++i) {
    script.push_back(more[i]);
  }
  room[0] = one[0];
  return write(script, room);
}

}  // namespace ringcast::fuzz
