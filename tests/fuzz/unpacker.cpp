// SPDX-License-Identifier: Apache-2.0
//
// The input describes entries of packets, whole or fragments, in any order that a broken peer
// might think of. They go through encoder and decoder into an Unpacker; a model that keeps
// strings says which messages must come out, and how much memory that may take.
#include "protocol/ring/unpacker.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::size_t carried_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t packet_content_max = 60000;

using Parts = std::vector<BufferRef>;

struct Message {
  std::uint8_t service{0};
  Parts parts;
};

/// What the Unpacker promises, by keeping every fragment.
class Model {
 public:
  void take(NodeId from, const Entry& entry, std::vector<Message>& out) {
    if (entry.first) partial_.erase(from);
    if (entry.first && entry.last) {
      out.push_back(Message{entry.service, {entry.bytes}});
      return;
    }
    if (entry.first) partial_[from] = Partial{.total = entry.total, .bytes = 0, .parts = {}};
    const auto found = partial_.find(from);
    if (found == partial_.end()) {
      ++strays;
      return;
    }
    auto& [total, bytes, parts] = found->second;
    parts.push_back(entry.bytes);
    bytes += entry.bytes.size();
    if (entry.last && bytes == total) out.push_back(Message{entry.service, parts});
    const bool broken = entry.last ? bytes != total : bytes >= total;
    if (broken) ++strays;
    if (broken || entry.last) partial_.erase(found);
  }

  std::uint64_t strays{0};

 private:
  struct Partial {
    std::size_t total{0};
    std::size_t bytes{0};
    Parts parts;
  };
  std::map<NodeId, Partial> partial_;
};

bool is_made_of(Bytes whole, const Parts& parts) {
  for (const auto& part : parts) {
    if (part.size() > whole.size() || !same(whole.first(part.size()), part.bytes())) return false;
    whole = whole.subspan(part.size());
  }
  return whole.empty();
}

/// Bytes to send, made once: no two places look alike for long.
BufferRef content(std::size_t offset, std::size_t length) {
  static const BufferRef all = [] {
    BufferRef block = BufferRef::allocate(2 * packet_content_max);
    std::uint32_t value = 1;
    for (auto& byte : block.writable()) {
      value = value * 1664525U + 1013904223U;
      byte = static_cast<std::byte>(value >> 24U);
    }
    return block;
  }();
  return all.slice(offset, length);
}

/// One entry: a byte of flags as on the wire, its length and, in a first fragment, the total.
Entry read_entry(ByteReader& reader, std::uint8_t flags) {
  Entry entry;
  entry.service = static_cast<std::uint8_t>((flags & 7U) % 5U);
  entry.first = (flags & 8U) != 0;
  entry.last = (flags & 16U) != 0;
  const std::size_t length = reader.u16() % packet_content_max;
  entry.bytes = content(length * 7 % 4096 + flags, length);
  if (entry.first && !entry.last) {
    entry.total = reader.u32() % (message_bytes_limit + 2);
    // Half of them a little more than the fragment, so that messages get whole.
    if (entry.total % 2 == 0) entry.total = static_cast<std::uint32_t>(length) + entry.total % 512;
  }
  return entry;
}

bool is_lawful(const Entry& entry) {
  if (!entry.first || entry.last) return true;
  return entry.total <= message_bytes_limit && entry.total > entry.bytes.size();
}

class Run {
 public:
  void packet(NodeId from, std::span<const Entry> entries) {
    Data data;
    data.ring = RingId{1, NodeId{1}, BootId{1}};
    data.seq = next(last_);
    last_ = data.seq;
    data.originator = from;
    encode_data(data, entries);
    carried_ += data.datagram_bytes();
    const auto decoded = decode(data.datagram());
    const bool lawful = std::all_of(entries.begin(), entries.end(), is_lawful);
    check(decoded.ok() == lawful, "the decoder takes lawful entries and no others");
    if (!decoded) return;
    for (const auto& entry : entries) {
      model_.take(from, entry, expected_);
    }
    const HeapMeter heap;
    unpacker_.unpack(std::get<Data>(decoded->body), false, events_);
    // 16 times what has come, beside what is copied from, and the first step of each.
    heap.check_peak(17 * carried_ + (std::size_t{1} << 20U), "the unpacker");
    compare();
  }
  [[nodiscard]] std::size_t carried() const { return carried_; }

 private:
  void compare() {
    check(events_.size() == expected_.size(), "as many messages end as the model says");
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const auto& message = std::get<OrderedMessage>(events_[i]);
      check(static_cast<std::uint8_t>(message.service) == expected_[i].service, "the service");
      check(
          is_made_of(message.payload.joined().bytes(), expected_[i].parts), "it is what was sent");
    }
    events_.clear();
    expected_.clear();
    check(unpacker_.strays() == model_.strays, "every stray is counted, and nothing else");
  }

  Unpacker unpacker_;
  Model model_;
  Seq last_;
  std::size_t carried_{0};
  std::vector<OrderedEvent> events_;
  std::vector<Message> expected_;
};

}  // namespace

void unpacker(Bytes input) {
  ByteReader reader(input);
  Run run;
  std::vector<Entry> entries;
  std::size_t packed = 0;
  while (reader.ok() && reader.remaining() > 0 && run.carried() < carried_bytes_max) {
    const std::uint8_t flags = reader.u8();
    const Entry entry = read_entry(reader, flags);
    const std::size_t bytes = entry_header_bytes + fragment_header_bytes + entry.bytes.size();
    const NodeId from{static_cast<std::uint32_t>(flags) >> 6U};
    if (packed + bytes <= packet_content_max) {
      entries.push_back(entry);
      packed += bytes;
    }
    if ((flags & 32U) == 0 && packed + bytes <= packet_content_max) continue;
    if (!entries.empty()) run.packet(from, entries);
    entries.clear();
    packed = 0;
  }
}

}  // namespace ringcast::fuzz
