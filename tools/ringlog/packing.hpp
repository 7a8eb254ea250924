// SPDX-License-Identifier: Apache-2.0
//
// Packing: bytes compressed by zstd behind their length. Unpacking never takes more memory than
// that length, which is refused when it is beyond what the caller allows or than zstd can make of
// so few bytes; nothing a sender says is believed before.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast::ringlog {

/// Fast to strong, as zstd counts them.
inline constexpr int packing_level_min = 1;
inline constexpr int packing_level_max = 19;

/// u32 length, then one zstd frame; nothing when that would not be shorter.
std::optional<std::vector<std::byte>> pack(std::span<const std::byte> bytes, int level);
/// The inverse. Errors: malformed: not packed, more than `bytes_max`, or not exactly as long as
/// it says.
Result<std::vector<std::byte>> unpack(std::span<const std::byte> packed, std::size_t bytes_max);

}  // namespace ringcast::ringlog
