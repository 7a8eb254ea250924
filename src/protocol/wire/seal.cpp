// SPDX-License-Identifier: Apache-2.0
#include "protocol/wire/seal.hpp"

#include <algorithm>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the same hash by the widest vectors there are
#define RINGCAST_WIDE_VECTORS 1
#else
#include <xxhash.h>
#endif

#include "ringcast/version.hpp"

#include "protocol/base/assert.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

constexpr std::uint16_t magic = 0x4352;  // "RC" on the wire
constexpr std::size_t type_offset = 3;

// [WIR-2] The tag is the hash in its canonical form, which is bytes and needs no alignment.
static_assert(sizeof(XXH128_canonical_t) == tag_bytes && alignof(XXH128_canonical_t) == 1);

// The library leaves the upper parts of the vector registers as they are after use, and on some
// processors that makes the next instruction of the older kind wait for as long as three hashes of
// a packet take.
#ifdef RINGCAST_WIDE_VECTORS
[[gnu::target("avx")]] void clear_upper_parts() { __builtin_ia32_vzeroupper(); }
const bool has_upper_parts = __builtin_cpu_supports("avx") != 0;
#else
void clear_upper_parts() {}
constexpr bool has_upper_parts = false;
#endif

XXH128_hash_t checksum(std::span<const std::byte> datagram) {
  const auto hash = XXH3_128bits(datagram.data(), datagram.size() - tag_bytes);
  if (has_upper_parts) clear_upper_parts();
  return hash;
}

void write_tag(std::span<std::byte> datagram) {
  auto* const tag = datagram.last(tag_bytes).data();
  XXH128_canonicalFromHash(reinterpret_cast<XXH128_canonical_t*>(tag), checksum(datagram));
}

bool has_its_tag(std::span<const std::byte> datagram) {
  const auto* const tag = datagram.last(tag_bytes).data();
  const auto hash = XXH128_hashFromCanonical(reinterpret_cast<const XXH128_canonical_t*>(tag));
  return XXH128_isEqual(hash, checksum(datagram)) != 0;
}

}  // namespace

std::uint32_t cluster_tag(std::string_view cluster) {
  return static_cast<std::uint32_t>(XXH3_64bits(cluster.data(), cluster.size()));
}

void NullSealer::seal(std::span<std::byte> datagram) {
  RC_ASSERT(datagram.size() >= packet_header_bytes + tag_bytes);
  ByteWriter header;
  header.reserve(packet_header_bytes);
  header.u16(magic);
  header.u8(wire_version);
  header.u8(std::to_integer<std::uint8_t>(datagram[type_offset]));
  header.u8(0);   // key id
  header.u8(0);   // reserved
  header.u16(0);  // reserved
  header.u32(cluster_);
  header.u32(self_.node.value);
  header.u32(self_.boot.value);
  header.u64(++counter_);
  RC_ASSERT(header.size() == packet_header_bytes);
  std::copy(header.view().begin(), header.view().end(), datagram.begin());
  write_tag(datagram);
}

PacketHeader read_header(std::span<const std::byte> datagram) {
  RC_ASSERT(datagram.size() >= packet_header_bytes);
  ByteReader reader(datagram);
  (void)reader.u16();
  (void)reader.u8();
  PacketHeader header;
  header.type = static_cast<PacketType>(reader.u8());
  header.key_id = reader.u8();
  (void)reader.u8();
  (void)reader.u16();
  header.cluster = reader.u32();
  header.sender.node = NodeId{reader.u32()};
  header.sender.boot = BootId{reader.u32()};
  header.counter = reader.u64();
  return header;
}

Result<PacketHeader> NullSealer::open(std::span<const std::byte> datagram) {
  if (datagram.size() < packet_header_bytes + tag_bytes) {
    return Error{Errc::malformed, "shorter than a header and a tag"};
  }
  ByteReader reader(datagram);
  if (reader.u16() != magic) return Error{Errc::malformed, "not a ringcast datagram"};
  if (reader.u8() != wire_version) return Error{Errc::unsupported_version, "another wire version"};
  const PacketHeader header = read_header(datagram);
  if (header.key_id != 0) return Error{Errc::unsupported_version, "sealed with an unknown key"};
  if (header.cluster != cluster_) {
    return Error{Errc::invalid_argument, "another cluster's datagram"};
  }
  if (!has_its_tag(datagram)) return Error{Errc::corrupt, "tag does not match"};
  reader.bytes(2);  // type and key id
  if (reader.u8() != 0 || reader.u16() != 0) return Error{Errc::malformed, "unknown header bits"};
  return header;
}

}  // namespace ringcast
