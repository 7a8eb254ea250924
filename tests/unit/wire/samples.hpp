// SPDX-License-Identifier: Apache-2.0
//
// Packets to test with: of every type, with random but valid fields.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/base/random.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/packets.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast::samples {

inline std::uint32_t word(Random& random) { return static_cast<std::uint32_t>(random.next()); }

inline NodeKey key(Random& random) { return {NodeId{word(random)}, BootId{word(random)}}; }

inline RingId ring(Random& random) {
  return {1 + random.below(ring_seq_limit), NodeId{word(random)}, BootId{word(random)}};
}

inline std::vector<NodeKey> keys(Random& random, std::size_t most) {
  std::vector<NodeKey> all;
  const auto count = random.below(most + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    all.push_back(key(random));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// `size` bytes that depend on `seed`.
inline BufferRef payload(std::uint64_t seed, std::size_t size) {
  BufferRef bytes = BufferRef::allocate(size);
  Random random(seed);
  for (auto& byte : bytes.writable()) {
    byte = static_cast<std::byte>(random.next());
  }
  return bytes;
}

inline Token token(Random& random) {
  Token token;
  token.ring = ring(random);
  token.token_seq = random.next();
  token.aru = Seq{random.below(1000)};
  token.seq = Seq{token.aru.value + random.below(1000)};
  if (random.below(2) == 0) token.aru_id = NodeId{word(random)};
  token.fcc = random.next();
  token.backlog = random.next();
  token.retransmitting = random.below(2) == 0;
  token.idle = random.below(2) == 0;
  Seq first = Seq{1 + random.below(5)};
  while (token.rtr.size() < retransmit_ranges_max && first < token.seq) {
    const auto count =
        std::min<std::uint64_t>(1 + random.below(4), token.seq.value - first.value + 1);
    token.rtr.push_back(SeqRange{.first = first, .count = static_cast<std::uint32_t>(count)});
    first = Seq{first.value + count + 1 + random.below(20)};
  }
  return token;
}

inline Join join(Random& random) {
  Join join;
  join.leave = random.below(4) == 0;
  join.ring_seq = random.below(ring_seq_limit);
  join.proc = keys(random, 12);
  for (const auto& member : join.proc) {
    if (random.below(3) == 0) join.fail.push_back(member);
    if (random.below(2) == 0) join.hears.push_back(member);
    if (random.below(2) == 0) join.mutual.push_back(member);
  }
  return join;
}

inline CommitEntry commit_entry(Random& random) {
  CommitEntry entry;
  entry.filled = random.below(4) != 0;
  entry.old_ring = ring(random);
  entry.old_aru = Seq{random.below(1000)};
  entry.high_delivered = Seq{random.below(2000)};
  entry.received_ring = ring(random);
  for (std::size_t i = 0; i < nodes_max; ++i) {
    entry.obligation[i] = random.below(2) == 0;
  }
  entry.datagram_bytes = static_cast<std::uint32_t>(512 + random.below(65000));
  entry.window_bytes = word(random);
  entry.window_packets = static_cast<std::uint32_t>(window_packets_least + random.below(65000));
  return entry;
}

inline CommitToken commit(Random& random) {
  CommitToken commit;
  std::uint32_t node = 0;
  const auto count = 1 + random.below(8);
  for (std::uint64_t i = 0; i < count; ++i) {
    node += 1 + static_cast<std::uint32_t>(random.below(1U << 24U));
    commit.members.push_back(commit_entry(random));
    commit.members.back().member = NodeKey{NodeId{node}, BootId{word(random)}};
  }
  commit.ring = RingId{
      1 + random.below(ring_seq_limit),
      commit.members.front().member.node,
      commit.members.front().member.boot};
  commit.hop = random.next();
  return commit;
}

inline Probe probe(Random& random) {
  Probe probe{.ring = ring(random), .echo = std::nullopt};
  if (random.below(2) == 0) probe.echo = BootId{word(random)};
  for (std::uint32_t node = 0; node < 40; ++node) {
    if (random.below(3) == 0) probe.members.push_back(NodeId{node});
    if (random.below(3) == 0) probe.mutual.push_back(NodeId{node});
  }
  if (probe.members.empty()) probe.members.push_back(NodeId{50});
  return probe;
}

inline std::vector<Entry> entries(Random& random) {
  std::vector<Entry> all;
  const auto count = 1 + random.below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    Entry entry;
    entry.service = static_cast<std::uint8_t>(random.below(5));
    entry.first = random.below(3) != 0;
    entry.last = random.below(3) != 0;
    entry.bytes = payload(random.next(), random.below(60));
    if (entry.first && !entry.last) {
      entry.total = static_cast<std::uint32_t>(entry.bytes.size() + 1 + random.below(100000));
    }
    all.push_back(std::move(entry));
  }
  return all;
}

inline Data data_header(Random& random) {
  Data data;
  data.ring = ring(random);
  data.seq = Seq{1 + random.below(ring_seq_limit)};
  data.originator = NodeId{word(random)};
  data.safe = random.below(2) == 0;
  data.after_token = random.below(2) == 0;
  return data;
}

inline Data data(Random& random, const std::vector<Entry>& with) {
  Data data = data_header(random);
  encode_data(data, with);
  return data;
}

inline Data recovered(Random& random, const Data& old) {
  Data data = data_header(random);
  data.recovered = true;
  encode_recovered(data, old.body());
  return data;
}

/// One datagram of each type, unsealed.
inline std::vector<BufferRef> datagrams(Random& random) {
  const Data plain = data(random, entries(random));
  return {
      plain.datagram(),
      recovered(random, plain).datagram(),
      encode(token(random)),
      encode(join(random)),
      encode(commit(random)),
      encode(probe(random)),
      encode(Wakeup{ring(random)})};
}

}  // namespace ringcast::samples
