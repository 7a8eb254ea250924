// SPDX-License-Identifier: Apache-2.0
//
// The null sealer: a sealed datagram opens whole and at home only; any change to it is loss.
#include "protocol/wire/seal.hpp"

#include <cstddef>
#include <cstdint>

#include <catch2/catch.hpp>

#include "protocol/wire/codec.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

constexpr NodeKey self{NodeId{11}, BootId{22}};

BufferRef sealed(const BufferRef& datagram, NullSealer& sealer) {
  BufferRef copy = BufferRef::copy_of(datagram.bytes());
  sealer.seal(copy.writable());
  return copy;
}

Errc refusal(NullSealer& sealer, const BufferRef& datagram) {
  const auto header = sealer.open(datagram.bytes());
  REQUIRE_FALSE(header);
  return header.error().code;
}

}  // namespace

TEST_CASE("a sealed datagram opens with its sender, its type and an ascending counter") {
  NullSealer sealer(self, 33);
  Random random(31);
  std::uint64_t counter = 0;
  for (const auto& datagram : samples::datagrams(random)) {
    const auto packet = sealed(datagram, sealer);
    const auto header = sealer.open(packet.bytes());
    REQUIRE(header);
    CHECK(header->sender == self);
    CHECK(header->cluster == 33);
    CHECK(header->key_id == 0);
    CHECK(header->counter == ++counter);
    const auto decoded = decode(packet);
    REQUIRE(decoded);
    CHECK(decoded->header.type == header->type);
    CHECK(decoded->body.index() + 1 == static_cast<std::size_t>(header->type));
  }
}

TEST_CASE("a datagram sealed again has a new counter and the same body") {
  NullSealer sealer(self, 33);
  BufferRef packet = encode(Wakeup{RingId{1, NodeId{2}, BootId{3}}});
  sealer.seal(packet.writable());
  const BufferRef before = BufferRef::copy_of(packet.bytes());
  sealer.seal(packet.writable());
  const auto header = sealer.open(packet.bytes());
  REQUIRE(header);
  CHECK(header->counter == 2);
  for (std::size_t i = packet_header_bytes; i < packet.size() - tag_bytes; ++i) {
    CHECK(packet.bytes()[i] == before.bytes()[i]);
  }
}

TEST_CASE("a datagram with any bit flipped is not opened") {
  NullSealer sealer(self, 33);
  Random random(32);
  for (const auto& datagram : samples::datagrams(random)) {
    const auto packet = sealed(datagram, sealer);
    for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
      BufferRef flipped = BufferRef::copy_of(packet.bytes());
      flipped.writable()[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const auto code = refusal(sealer, flipped);
      // Magic, version, key and cluster are looked at first; the rest is the tag's.
      const std::size_t byte = bit / 8;
      const bool looked_at = byte < 3 || byte == 4 || (byte >= 8 && byte < 12);
      CAPTURE(byte);
      if (!looked_at) REQUIRE(code == Errc::corrupt);
    }
  }
}

TEST_CASE("a datagram cut short anywhere is not opened") {
  NullSealer sealer(self, 33);
  Random random(33);
  for (const auto& datagram : samples::datagrams(random)) {
    const auto packet = sealed(datagram, sealer);
    for (std::size_t size = 0; size < packet.size(); ++size) {
      const auto code = refusal(sealer, BufferRef::copy_of(packet.bytes().first(size)));
      REQUIRE(code == (size < packet_header_bytes + tag_bytes ? Errc::malformed : Errc::corrupt));
    }
  }
}

TEST_CASE("another cluster's, version's or key's datagram is refused by name") {
  NullSealer home(self, cluster_tag("home"));
  NullSealer away(self, cluster_tag("away"));
  const auto wakeup = encode(Wakeup{RingId{1, NodeId{2}, BootId{3}}});
  CHECK(refusal(home, sealed(wakeup, away)) == Errc::invalid_argument);
  CHECK(home.open(sealed(wakeup, home).bytes()));

  const auto with = [&](std::size_t offset, std::uint8_t value) {
    BufferRef packet = sealed(wakeup, home);
    packet.writable()[offset] = std::byte{value};
    return packet;
  };
  CHECK(refusal(home, with(0, 'X')) == Errc::malformed);
  CHECK(refusal(home, with(2, 2)) == Errc::unsupported_version);
  CHECK(refusal(home, with(4, 1)) == Errc::unsupported_version);
}

TEST_CASE("clusters of different names have different tags") {
  CHECK(cluster_tag("a") == cluster_tag("a"));
  CHECK(cluster_tag("a") != cluster_tag("b"));
  CHECK(cluster_tag("") != cluster_tag("a"));
}

}  // namespace ringcast
