// SPDX-License-Identifier: Apache-2.0
//
// Record: what a publisher sends to the group, as one message of type record_type. A run of
// consecutive lines of one producer, or, in the place of one line, the note that lines were
// dropped or that a line was too long; or nothing at all (settle), whose confirmation tells
// the publisher that what went before has been delivered everywhere. Lines may be packed, which
// no reader notices. docs/logging.md has the layout. Decoding is total: a Record from decode()
// keeps every limit named here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog/producer.hpp"
#include "tools/ringlog/range_set.hpp"

namespace ringcast::ringlog {

/// Message types on the group: "rl" and a number.
inline constexpr std::int32_t record_type = 0x726C0001;

/// Longest line that can be configured.
inline constexpr std::size_t line_bytes_max = std::size_t{8} << 20U;
inline constexpr std::size_t producer_name_bytes_max = 255;

struct Lines {
  std::vector<std::string> lines;  ///< at least one; any bytes but newline
  bool operator==(const Lines&) const = default;
};
/// The publisher had to drop this much: its buffers were full and --max-block was over.
struct Dropped {
  std::uint64_t lines{0};
  std::uint64_t bytes{0};
  /// Sequence numbers it takes: 1 when the lines had none of their own yet, at least 1.
  std::uint32_t numbers{1};
  bool operator==(const Dropped&) const = default;
};
/// One line was longer than the publisher's limit and was not sent.
struct TooLong {
  std::uint64_t bytes{0};
  bool operator==(const TooLong&) const = default;
};
struct Settle {
  bool operator==(const Settle&) const = default;
};

struct Record {
  Producer producer;
  std::uint64_t first_seq{0};  ///< of the first line; from 1; 0 for Settle only
  std::variant<Lines, Dropped, TooLong, Settle> body;
  bool wants_receipt{false};  ///< writers tell the publisher once they have synced it

  bool operator==(const Record&) const = default;
};

/// Bytes of a record beside its lines, for the longest name.
inline constexpr std::size_t record_overhead_bytes_max = 40 + producer_name_bytes_max;
inline constexpr std::size_t line_overhead_bytes = 4;
/// Most bytes that several packed lines may take once they are unpacked; a single one may
/// take line_bytes_max.
inline constexpr std::size_t unpacked_bytes_max = std::size_t{1} << 20U;

/// The sequence numbers the record takes. REQUIRES: not Settle.
Range range_of(const Record& record);

std::vector<std::byte> encode(const Record& record);
/// Errors: malformed, unsupported_version.
Result<Record> decode_record(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
