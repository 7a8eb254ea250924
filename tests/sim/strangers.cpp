// SPDX-License-Identifier: Apache-2.0
#include "sim/strangers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <xxhash.h>

#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"
#include "sim/random.hpp"

namespace ringcast::sim {

namespace {

constexpr std::size_t version_offset = 2;
constexpr std::size_t type_offset = 3;
constexpr std::size_t least_bytes = packet_header_bytes + tag_bytes;

BufferRef garbage(Random& random) {
  BufferRef packet = BufferRef::allocate(random.between(1, 1400));
  for (std::byte& byte : packet.writable()) {
    byte = static_cast<std::byte>(random.next() & 0xffU);
  }
  return packet;
}

void write_tag(std::span<std::byte> packet) {
  const XXH128_hash_t hash = XXH3_128bits(packet.data(), packet.size() - tag_bytes);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::memcpy(packet.data() + packet.size() - tag_bytes, canonical.digest, tag_bytes);
}

/// More requests than a token has room for; a commit token's first member with the highest id.
void lie_about_lists(std::span<std::byte> packet, Random& random) {
  constexpr std::size_t requests_at = packet_header_bytes + 46;
  constexpr std::size_t members_at = packet_header_bytes + 28;
  const auto type = static_cast<PacketType>(packet[type_offset]);
  if (type == PacketType::token && packet.size() > requests_at + tag_bytes) {
    packet[requests_at] = static_cast<std::byte>(random.between(1, 90));
  } else if (type == PacketType::commit && packet.size() > members_at + 4 + tag_bytes) {
    const auto node = packet.subspan(members_at, 4);
    std::fill(node.begin(), node.end(), std::byte{0xff});
  }
}

/// Changed until no decoder takes it; what still decodes is not malformed.
BufferRef malformed(BufferRef packet, Random& random) {
  for (int tries = 0; tries < 8; ++tries) {
    if (packet.size() <= least_bytes || random.chance(0.25)) {
      const std::size_t cut = random.below(packet.size() - least_bytes + 1);
      packet = BufferRef::copy_of(packet.bytes().first(packet.size() - cut));
    } else if (random.chance(0.2)) {
      packet.writable()[type_offset] = static_cast<std::byte>(random.below(9));
    } else if (random.chance(0.1)) {
      lie_about_lists(packet.writable(), random);
    } else if (random.chance(0.2)) {  // a number beyond all limits, in one of the first fields
      const auto body = packet.writable().subspan(packet_header_bytes, packet.size() - least_bytes);
      const std::size_t at = std::min<std::size_t>(8 * random.below(5), body.size());
      const auto field = body.subspan(at, std::min<std::size_t>(8, body.size() - at));
      std::fill(field.begin(), field.end(), std::byte{0xff});
    } else if (random.chance(0.3)) {  // a head and little else
      packet = BufferRef::copy_of(
          packet.bytes().first(least_bytes + random.below(packet.size() - least_bytes) % 64));
    } else {
      const std::size_t body = packet.size() - least_bytes;
      const std::size_t at =
          packet_header_bytes + random.below(std::min<std::size_t>(body, random.between(1, 96)));
      packet.writable()[at] = static_cast<std::byte>(random.chance(0.5) ? 0xff : random.below(100));
    }
    write_tag(packet.writable());
    if (!decode(packet).ok()) return packet;
  }
  return {};
}

}  // namespace

std::optional<BufferRef> make_stranger(
    std::string_view kind, std::uint64_t seed, const std::deque<BufferRef>& real) {
  Random random{seed};
  if (kind == "garbage") return garbage(random);
  constexpr std::array<std::string_view, 4> kinds = {"cluster", "version", "unknown", "malformed"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) return std::nullopt;
  if (real.empty()) return BufferRef{};
  // Of a kind chosen first, so that the rare kinds are not rare here.
  constexpr std::array<std::string_view, 6> types = {
      "data", "token", "join", "commit", "probe", "wakeup"};
  const BufferRef chosen =
      find_remembered(types[random.below(types.size())], random.below(real.size()), real);
  if (chosen.size() < least_bytes) return BufferRef{};
  BufferRef packet = BufferRef::copy_of(chosen.bytes());
  const PacketHeader header = read_header(packet.bytes());
  if (kind == "malformed") return malformed(packet, random);
  if (kind == "version") {
    packet.writable()[version_offset] = std::byte{2};
    write_tag(packet.writable());
    return packet;
  }
  const bool is_foreign = kind == "cluster";
  const NodeKey sender =
      is_foreign ? header.sender : NodeKey{node_id("stranger"), header.sender.boot};
  NullSealer{sender, is_foreign ? cluster_tag("elsewhere") : header.cluster}.seal(
      packet.writable());
  return packet;
}

BufferRef find_remembered(
    std::string_view kind, std::size_t back, const std::deque<BufferRef>& packets) {
  constexpr std::array<std::string_view, 7> kinds = {
      "any", "data", "token", "join", "commit", "probe", "wakeup"};
  const auto* const wanted = std::find(kinds.begin(), kinds.end(), kind);
  BufferRef found;
  for (auto packet = packets.rbegin(); packet != packets.rend(); ++packet) {
    if (packet->size() < least_bytes) continue;
    const auto type = static_cast<std::ptrdiff_t>(packet->bytes()[type_offset]);
    if (wanted != kinds.begin() && wanted - kinds.begin() != type) continue;
    found = *packet;
    if (back-- == 0) break;
  }
  return found;
}

}  // namespace ringcast::sim
