// SPDX-License-Identifier: Apache-2.0
//
// The decoder against bytes nobody should send: truncations, flipped bits, giant counts and
// fields that contradict one another. It may refuse or accept, but never read outside, and what
// it accepts must hold up to being used.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

/// Uses everything a decoded packet offers, so that a wrong bound shows under a sanitizer.
std::size_t use(const Data& data) {
  if (data.recovered) {
    const auto inner = decode_recovered(data);
    return inner ? use(*inner) : 0;
  }
  std::size_t sum = 0;
  BufferRef content = data.content();
  for (std::uint16_t i = 0; i < data.entries; ++i) {
    const Entry entry = next_entry(content);
    for (const auto byte : entry.bytes.bytes()) {
      sum += std::to_integer<std::size_t>(byte);
    }
  }
  REQUIRE(content.empty());
  return sum;
}

/// Decodes and, when accepted, uses the packet. True when accepted.
bool take(const BufferRef& datagram) {
  const auto packet = decode(datagram);
  if (!packet) {
    REQUIRE(packet.error().code == Errc::malformed);
    REQUIRE_FALSE(packet.error().message.empty());
    return false;
  }
  if (const auto* const data = std::get_if<Data>(&packet->body)) (void)use(*data);
  if (const auto* const token = std::get_if<Token>(&packet->body)) {
    REQUIRE(token->aru <= token->seq);
    REQUIRE(token->rtr.size() <= retransmit_ranges_max);
  }
  return true;
}

BufferRef shortened(const BufferRef& datagram, std::size_t size) {
  return BufferRef::copy_of(datagram.bytes().first(size));
}

/// A datagram of `type` whose body is what `fill` writes.
template <class Fill>
BufferRef crafted(PacketType type, Fill fill) {
  ByteWriter writer;
  for (std::size_t i = 0; i < packet_header_bytes; ++i) {
    writer.u8(i == 3 ? static_cast<std::uint8_t>(type) : 0);
  }
  fill(writer);
  for (std::size_t i = 0; i < tag_bytes; ++i) {
    writer.u8(0);
  }
  return BufferRef::copy_of(writer.view());
}

void put_ring(ByteWriter& writer, std::uint64_t seq) {
  writer.u64(seq);
  writer.u32(1);
  writer.u32(2);
}

void put_token_head(ByteWriter& writer, std::uint64_t seq, std::uint64_t aru, std::uint16_t count) {
  put_ring(writer, 1);
  writer.u64(1);
  writer.u64(seq);
  writer.u64(aru);
  writer.u32(0);
  writer.u8(0);
  writer.u8(0);
  writer.u16(count);
  writer.u64(0);
  writer.u64(0);
}

void put_data_head(ByteWriter& writer, std::uint64_t seq, std::uint8_t flags, std::uint16_t count) {
  put_ring(writer, 1);
  writer.u64(seq);
  writer.u32(3);
  writer.u8(flags);
  writer.u8(0);
  writer.u16(count);
}

}  // namespace

TEST_CASE("a packet cut short anywhere is refused") {
  Random random(21);
  for (int round = 0; round < 5; ++round) {
    for (const auto& datagram : samples::datagrams(random)) {
      REQUIRE(take(datagram));
      for (std::size_t size = 0; size < datagram.size(); ++size) {
        CAPTURE(size, datagram.size());
        REQUIRE_FALSE(take(shortened(datagram, size)));
      }
    }
  }
}

TEST_CASE("a packet with bytes behind its end is refused") {
  Random random(22);
  for (const auto& datagram : samples::datagrams(random)) {
    BufferRef longer = BufferRef::allocate(datagram.size() + 1);
    std::copy(datagram.bytes().begin(), datagram.bytes().end(), longer.writable().begin());
    longer.writable().back() = std::byte{0};
    REQUIRE_FALSE(take(longer));
  }
}

TEST_CASE("any flipped bit is refused or taken, and never read beyond the packet") {
  Random random(23);
  for (int round = 0; round < 3; ++round) {
    for (const auto& datagram : samples::datagrams(random)) {
      for (std::size_t bit = 0; bit < datagram.size() * 8; ++bit) {
        BufferRef flipped = BufferRef::copy_of(datagram.bytes());
        flipped.writable()[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        (void)take(flipped);
      }
    }
  }
}

TEST_CASE("random bytes in any number of places are refused or taken, never misread") {
  Random random(24);
  for (int round = 0; round < 3000; ++round) {
    for (const auto& datagram : samples::datagrams(random)) {
      BufferRef noisy = BufferRef::copy_of(datagram.bytes());
      const auto places = 1 + random.below(6);
      for (std::uint64_t i = 0; i < places; ++i) {
        noisy.writable()[random.below(noisy.size())] = static_cast<std::byte>(random.next());
      }
      (void)take(noisy);
    }
  }
}

TEST_CASE("a count larger than the packet is refused before anything is kept for it") {
  for (const std::uint16_t count : std::vector<std::uint16_t>{97, 0x7fff, 0xffff}) {
    CAPTURE(count);
    CHECK_FALSE(take(crafted(
        PacketType::token, [&](ByteWriter& writer) { put_token_head(writer, 9, 9, count); })));
    CHECK_FALSE(take(crafted(PacketType::join, [&](ByteWriter& writer) {
      writer.u16(0);
      writer.u16(count);
      writer.u16(count);
      writer.u16(0);
      writer.u64(1);
    })));
    CHECK_FALSE(take(crafted(PacketType::commit, [&](ByteWriter& writer) {
      put_ring(writer, 1);
      writer.u64(1);
      writer.u16(count);
      writer.u16(0);
    })));
    CHECK_FALSE(take(crafted(
        PacketType::data, [&](ByteWriter& writer) { put_data_head(writer, 1, 0, count); })));
  }
}

TEST_CASE("an entry longer than its packet is refused") {
  const auto with_entry = [](std::uint32_t word, std::uint32_t total) {
    return crafted(PacketType::data, [&](ByteWriter& writer) {
      put_data_head(writer, 1, 0, 1);
      writer.u32(word);
      writer.u32(total);
    });
  };
  constexpr std::uint32_t whole = 0x1bU << 24U;
  constexpr std::uint32_t first = 0x0bU << 24U;
  CHECK(take(with_entry(whole | 4U, 0)));
  CHECK_FALSE(take(with_entry(whole | 5U, 0)));
  CHECK_FALSE(take(with_entry(whole | 0xffffffU, 0)));
  CHECK_FALSE(take(with_entry(0x20U << 24U | whole | 4U, 0)));  // an unknown flag
  CHECK_FALSE(take(with_entry(0x1dU << 24U | 4U, 0)));          // service 5
  CHECK(take(with_entry(first, 100)));
  CHECK_FALSE(take(with_entry(first, 0)));  // a first fragment as long as the whole is none
  CHECK_FALSE(take(with_entry(first, message_bytes_limit + 1)));
}

TEST_CASE("a token's fields must agree with one another") {
  const auto request = [](std::uint64_t first, std::uint32_t count) {
    return crafted(PacketType::token, [&](ByteWriter& writer) {
      put_token_head(writer, 100, 10, 1);
      writer.u64(first);
      writer.u32(count);
    });
  };
  CHECK(take(request(11, 90)));
  CHECK_FALSE(take(request(11, 91)));
  CHECK_FALSE(take(request(101, 1)));
  CHECK_FALSE(take(request(0, 1)));
  CHECK_FALSE(take(request(11, 0)));
  CHECK_FALSE(take(request(11, UINT32_MAX)));
  CHECK_FALSE(take(request(UINT64_MAX, UINT32_MAX)));
  CHECK_FALSE(take(
      crafted(PacketType::token, [](ByteWriter& writer) { put_token_head(writer, 9, 10, 0); })));
  CHECK_FALSE(take(crafted(PacketType::token, [](ByteWriter& writer) {
    put_token_head(writer, ring_seq_limit + 1, 10, 0);
  })));
}

TEST_CASE("requests on a token are ascending and apart") {
  const auto requests = [](const std::vector<SeqRange>& ranges) {
    Token token;
    token.seq = Seq{100};
    token.rtr = ranges;
    return encode(token);
  };
  constexpr SeqRange low{.first = Seq{5}, .count = 5};
  constexpr SeqRange high{.first = Seq{20}, .count = 5};
  CHECK(take(requests({low, high})));
  CHECK_FALSE(take(requests({high, low})));
  CHECK_FALSE(take(requests({low, low})));
  CHECK_FALSE(take(requests({low, SeqRange{.first = Seq{9}, .count = 5}})));
}

TEST_CASE("data too large to be sent again in recovery is refused [WIR-7]") {
  Random random(26);
  const auto of_size = [&](std::size_t datagram) {
    Entry entry;
    entry.bytes = samples::payload(1, datagram - data_overhead_bytes - entry_header_bytes);
    return samples::data(random, {entry});
  };
  const Data largest = of_size(datagram_bytes_limit - data_header_bytes);
  CHECK(take(largest.datagram()));
  CHECK(samples::recovered(random, largest).datagram_bytes() == datagram_bytes_limit);
  CHECK_FALSE(take(of_size(datagram_bytes_limit - data_header_bytes + 1).datagram()));
}

TEST_CASE("data needs a number, an entry and known flags") {
  const auto packet = [](std::uint64_t seq, std::uint8_t flags, std::uint16_t entries) {
    return crafted(PacketType::data, [&](ByteWriter& writer) {
      put_data_head(writer, seq, flags, entries);
      if (entries == 1) writer.u32(0x1bU << 24U);
    });
  };
  CHECK(take(packet(1, 0, 1)));
  CHECK_FALSE(take(packet(0, 0, 1)));
  CHECK_FALSE(take(packet(ring_seq_limit + 1, 0, 1)));
  CHECK_FALSE(take(packet(1, 8, 1)));
  CHECK_FALSE(take(packet(1, 0, 0)));
  CHECK_FALSE(take(packet(1, 2, 1)));  // a recovered packet has none of its own
  CHECK_FALSE(take(packet(1, 2, 0)));  // and must carry another
}

TEST_CASE("a packet recovered twice is refused") {
  Random random(25);
  const Data once = samples::recovered(random, samples::data(random, samples::entries(random)));
  CHECK(take(once.datagram()));
  CHECK_FALSE(take(samples::recovered(random, once).datagram()));
}

TEST_CASE("members out of order or twice are refused") {
  const NodeKey a{NodeId{1}, BootId{1}};
  const NodeKey b{NodeId{2}, BootId{1}};
  CHECK(take(encode(Join{.leave = false, .ring_seq = 1, .proc = {a, b}, .fail = {b}})));
  CHECK_FALSE(take(encode(Join{.leave = false, .ring_seq = 1, .proc = {b, a}, .fail = {}})));
  CHECK_FALSE(take(encode(Join{.leave = false, .ring_seq = 1, .proc = {a, b}, .fail = {b, b}})));
  CommitToken commit{.ring = RingId{1, a.node, a.boot}, .hop = 1, .members = {}};
  commit.members.resize(2);
  commit.members[0].member = a;
  commit.members[1].member = b;
  CHECK(take(encode(commit)));
  commit.members[1].member = NodeKey{a.node, BootId{2}};
  CHECK_FALSE(take(encode(commit)));  // two runs of one daemon
}

TEST_CASE("a commit token's first member is the representative of its ring") {
  CommitToken commit{.ring = RingId{1, NodeId{1}, BootId{1}}, .hop = 1, .members = {}};
  CHECK_FALSE(take(encode(commit)));
  commit.members.resize(1);
  commit.members[0].member = NodeKey{NodeId{1}, BootId{2}};
  CHECK_FALSE(take(encode(commit)));
  commit.members[0].member.boot = BootId{1};
  CHECK(take(encode(commit)));
  commit.ring.seq = 0;
  CHECK_FALSE(take(encode(commit)));
}

TEST_CASE("an unknown packet type is refused") {
  for (int type = 0; type < 256; ++type) {
    if (type >= 1 && type <= 6) continue;
    CHECK_FALSE(take(crafted(static_cast<PacketType>(type), [](ByteWriter& w) { w.u64(0); })));
  }
}

}  // namespace ringcast
