// SPDX-License-Identifier: Apache-2.0
//
// Progress: a writer tells a publisher up to which of its records it has come, as a message
// of type progress_type to the publisher's private group. Advice for pacing, nothing more:
// what a publisher may forget does not depend on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

namespace ringcast::ringlog {

inline constexpr std::int32_t progress_type = 0x726C0003;

/// A writer speaks up at a publisher's first record and then once per so many bytes of it.
inline constexpr std::size_t progress_bytes = std::size_t{512} << 10U;

/// `position` is that of the last record written.
std::vector<std::byte> encode_progress(const Position& position);
/// Errors: malformed, unsupported_version.
Result<Position> decode_progress(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
