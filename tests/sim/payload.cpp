// SPDX-License-Identifier: Apache-2.0
#include "sim/payload.hpp"

#include <algorithm>
#include <cstring>
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
  std::vector<std::byte> filler(size);
  Random random{id.client * 0x9e3779b9U + id.number};
  for (std::size_t at = 0; at < filler.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(filler.data() + at, &word, std::min<std::size_t>(8, filler.size() - at));
  }
  if (size < identified_payload_bytes_min) return filler;
  filler.resize(size - identified_payload_bytes_min);
  ByteWriter writer;
  writer.reserve(size);
  writer.u64(magic);
  writer.u64(id.client);
  writer.u32(id.number);
  writer.u32(static_cast<std::uint32_t>(size));
  writer.u64(check_of(id, filler));
  writer.bytes(filler);
  return {writer.view().begin(), writer.view().end()};
}

std::optional<FoundPayload> find_payload(std::span<const std::byte> bytes) {
  std::array<std::byte, 8> pattern{};
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    pattern[i] = static_cast<std::byte>((magic >> (8U * i)) & 0xffU);
  }
  const std::span<const std::byte> head = bytes.first(std::min(bytes.size(), search_bytes_max));
  const auto found = std::search(head.begin(), head.end(), pattern.begin(), pattern.end());
  if (found == head.end()) return std::nullopt;
  const auto payload = bytes.subspan(static_cast<std::size_t>(found - head.begin()));
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
