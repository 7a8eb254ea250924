// SPDX-License-Identifier: Apache-2.0
//
// RecordHead: what stands before the body of every log record, for those who need no more
// than a record's name and kind, or write the body themselves. docs/logging.md, "Records".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringcast/result.hpp"

#include "tools/ringlog/bytes.hpp"
#include "tools/ringlog/producer.hpp"
#include "tools/ringlog/range_set.hpp"

namespace ringcast::ringlog {

enum class RecordKind : std::uint8_t {
  lines = 1,
  dropped = 2,
  too_long = 3,
  settle = 4,
  packed_lines = 5,  ///< u32 length of the body of `lines`, then that body as a zstd frame
};

struct RecordHead {
  RecordKind kind{RecordKind::settle};
  bool wants_receipt{false};  ///< writers tell the publisher once they have synced it
  Producer producer;
  std::uint64_t first_seq{0};
  std::uint32_t count{0};  ///< of sequence numbers
};

/// Where `count` stands in a head, from its beginning.
inline constexpr std::size_t record_kind_offset = 1;
inline constexpr std::size_t record_first_offset = 18;
inline constexpr std::size_t record_count_offset = 26;

void write_head(PayloadWriter& out, const RecordHead& head);
/// Reads on behind the head. Errors: malformed, unsupported_version.
Result<RecordHead> read_head(PayloadReader& in);
/// The same of a whole record.
Result<RecordHead> head_of_record(std::span<const std::byte> payload);
/// The sequence numbers it takes. REQUIRES: not of a Settle.
Range range_of(const RecordHead& head);

}  // namespace ringcast::ringlog
