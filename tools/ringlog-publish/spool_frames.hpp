// SPDX-License-Identifier: Apache-2.0
//
// How a spool lies on disk: segments NUMBER.spool, each a row of frames (u32 length, u64
// XXH3-64 of the payload, payload), and what stands at a place of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast::ringlog {

inline constexpr std::size_t spool_head_bytes = 12;

/// The payload as it is written.
std::string spool_frame(std::span<const std::byte> payload);

/// What stands at one place of a segment. Torn: it reaches past the end of the file, as after a
/// kill in the middle of an append.
struct SpoolFrame {
  enum class Kind { record, end, torn, damaged };
  Kind kind{Kind::end};
  std::string payload{};
};

/// Of an open file with so many bytes. Errors: io.
Result<SpoolFrame> spool_frame_at(
    int fd, std::uint64_t offset, std::uint64_t size, const std::string& path);

std::string spool_segment_name(std::uint64_t number);
/// The number of NUMBER.spool, or nothing.
std::optional<std::uint64_t> spool_segment_number(const std::string& name);
/// The numbers of all segments in a directory, ascending. Errors: io.
Result<std::vector<std::uint64_t>> spool_segments_in(const std::string& directory);

}  // namespace ringcast::ringlog
