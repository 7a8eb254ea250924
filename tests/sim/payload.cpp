// SPDX-License-Identifier: Apache-2.0
#include "sim/payload.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <xxhash.h>

#include "protocol/base/bytes.hpp"
#include "sim/random.hpp"

namespace ringcast::sim {

namespace {

constexpr std::uint64_t magic = 0x31a7d9c4be5f0263ULL;
constexpr std::size_t search_bytes_max = 8192;  // an envelope's header is shorter

std::uint64_t check_of(const PayloadId& id, std::span<const std::byte> filler) {
  return XXH3_64bits_withSeed(filler.data(), filler.size(), id.client * 1000003U + id.number);
}

}  // namespace

std::vector<std::byte> make_payload(const PayloadId& id, std::size_t size) {
  std::vector<std::byte> payload(size);
  const bool identified = size >= identified_payload_bytes_min;
  const std::span<std::byte> filler =
      std::span{payload}.subspan(identified ? identified_payload_bytes_min : 0);
  Random random{id.client * 0x9e3779b9U + id.number};
  for (std::size_t at = 0; at < filler.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(filler.data() + at, &word, std::min<std::size_t>(8, filler.size() - at));
  }
  if (!identified) return payload;
  ByteWriter head;
  head.reserve(identified_payload_bytes_min);
  head.u64(magic);
  head.u64(id.client);
  head.u32(id.number);
  head.u32(static_cast<std::uint32_t>(size));
  head.u64(check_of(id, filler));
  std::copy(head.view().begin(), head.view().end(), payload.begin());
  return payload;
}

std::optional<FoundPayload> find_payload(std::span<const std::byte> bytes) {
  const std::string_view head{
      reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), search_bytes_max)};
  const auto pattern = std::bit_cast<std::array<char, sizeof magic>>(magic);
  const std::size_t found = head.find(std::string_view{pattern.data(), pattern.size()});
  if (found == std::string_view::npos) return std::nullopt;
  const auto payload = bytes.subspan(found);
  ByteReader reader{payload};
  reader.u64();
  FoundPayload result;
  result.id.client = reader.u64();
  result.id.number = reader.u32();
  const std::uint32_t size = reader.u32();
  const std::uint64_t check = reader.u64();
  if (!reader.ok()) return std::nullopt;
  result.intact = size == payload.size() &&
                  check == check_of(result.id, payload.subspan(identified_payload_bytes_min));
  return result;
}

std::uint64_t content_hash(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace ringcast::sim
