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
constexpr std::size_t noise_bytes = 1U << 16U;

/// From one block of noise, at a place that is each message's own.
void fill(std::span<std::byte> filler, std::uint64_t seed) {
  static const std::vector<std::byte> noise = [] {
    std::vector<std::byte> bytes(noise_bytes);
    Random random{1};
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(random.next() >> 56U);
    }
    return bytes;
  }();
  std::size_t from = Random{seed}.below(noise.size());
  std::size_t done = 0;
  while (done < filler.size()) {
    const std::size_t count = std::min(filler.size() - done, noise.size() - from);
    std::memcpy(filler.data() + done, noise.data() + from, count);
    done += count;
    from = 0;
  }
}

std::uint64_t check_of(const PayloadId& id, std::span<const std::byte> filler) {
  return XXH3_64bits_withSeed(filler.data(), filler.size(), id.client * 1000003U + id.number);
}

}  // namespace

std::vector<std::byte> make_payload(const PayloadId& id, std::size_t size) {
  std::vector<std::byte> payload(size);
  const bool identified = size >= identified_payload_bytes_min;
  const std::span<std::byte> filler =
      std::span{payload}.subspan(identified ? identified_payload_bytes_min : 0);
  fill(filler, id.client * 0x9e3779b97f4a7c15ULL + id.number);
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

Content look_into(std::span<const std::byte> bytes) {
  const std::string_view head{
      reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), search_bytes_max)};
  const auto pattern = std::bit_cast<std::array<char, sizeof magic>>(magic);
  const std::size_t found = head.find(std::string_view{pattern.data(), pattern.size()});
  if (found == std::string_view::npos || bytes.size() - found < identified_payload_bytes_min) {
    return {.hash = content_hash(bytes), .payload = std::nullopt};
  }
  const auto payload = bytes.subspan(found);
  ByteReader reader{payload};
  reader.u64();
  FoundPayload result;
  result.id.client = reader.u64();
  result.id.number = reader.u32();
  const std::uint32_t size = reader.u32();
  const std::uint64_t told = reader.u64();
  const std::uint64_t check = check_of(result.id, payload.subspan(identified_payload_bytes_min));
  result.intact = size == payload.size() && check == told;
  const std::uint64_t before = content_hash(bytes.first(found + identified_payload_bytes_min));
  return {.hash = before ^ std::rotl(check, 32), .payload = result};
}

std::uint64_t content_hash(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace ringcast::sim
