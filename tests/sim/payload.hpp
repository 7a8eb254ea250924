// SPDX-License-Identifier: Apache-2.0
//
// What simulated clients publish: a payload that says who sent it (client session, number) and
// proves that it arrived whole. Payloads too short for that are plain bytes without identity.
//
//   magic u64 | client u64 | number u32 | size u32 | check u64 | filler ...
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ringcast::sim {

inline constexpr std::size_t identified_payload_bytes_min = 32;

struct PayloadId {
  std::uint64_t client{0};  ///< unique in one simulation: one session of one client
  std::uint32_t number{0};  ///< of the publish in that session, from 1

  auto operator<=>(const PayloadId&) const = default;
};

struct FoundPayload {
  PayloadId id;
  bool intact{false};  ///< length and check agree
};

/// What `bytes` hold: a hash of all of them, and the payload that is their tail, if there is one
/// (they are an envelope, or the payload itself).
struct Content {
  std::uint64_t hash{0};
  std::optional<FoundPayload> payload;
};

std::vector<std::byte> make_payload(const PayloadId& id, std::size_t size);
/// Looks at each byte once. Equal bytes have equal hashes; content_hash() has others.
Content look_into(std::span<const std::byte> bytes);
std::uint64_t content_hash(std::span<const std::byte> bytes);

}  // namespace ringcast::sim
