// SPDX-License-Identifier: Apache-2.0
//
// Batch: consecutive lines of one producer on their way into one record. It gives out the
// sequence numbers: every line, and every note in the place of one, takes the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

class Batch {
 public:
  Batch(Producer producer, std::uint64_t next_seq)
      : producer_(std::move(producer)), next_seq_(next_seq) {}

  /// Takes one line. REQUIRES: no newline in it.
  void add(std::string_view line);
  /// The lines so far as one record, or nothing when there are none.
  std::optional<Record> take();
  /// A note in the place of one line. REQUIRES: the batch is empty.
  Record note(const Dropped& dropped);
  Record note(const TooLong& too_long);

  [[nodiscard]] bool empty() const { return lines_.lines.empty(); }
  /// Bytes of the lines so far, as they will be in the record.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t next_seq() const { return next_seq_; }

 private:
  Producer producer_;
  std::uint64_t next_seq_;
  Lines lines_;
  std::size_t bytes_{0};
};

/// The lines in a record; 0 for a note in the place of lines.
std::uint64_t line_count(const Record& record);

}  // namespace ringcast::ringlog
