// SPDX-License-Identifier: Apache-2.0
//
// Batch: consecutive lines of one producer on their way into one record. It gives out the
// sequence numbers: every line, and every note in the place of one, takes the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/ringlog-publish/outgoing_record.hpp"
#include "tools/ringlog/lines_encoder.hpp"
#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

class Batch {
 public:
  Batch(const Producer& producer, std::uint64_t next_seq, LinesEncoder::Options encoding);

  /// Takes one line. REQUIRES: no newline in it.
  void add(std::string_view line) { encoder_.add(line); }
  /// The lines so far as one record, or nothing when there are none.
  std::optional<OutgoingRecord> take();
  /// A note in the place of one line. REQUIRES: the batch is empty.
  OutgoingRecord note(const Dropped& dropped);
  OutgoingRecord note(const TooLong& too_long);

  [[nodiscard]] bool empty() const { return encoder_.empty(); }
  /// Bytes of the lines so far, as they will be in the record.
  [[nodiscard]] std::size_t bytes() const { return encoder_.bytes(); }
  /// Of the first line in the batch, or to come.
  [[nodiscard]] std::uint64_t next_seq() const { return next_seq_; }
  /// Of the line that comes behind those in the batch.
  [[nodiscard]] std::uint64_t seq_behind() const { return next_seq_ + encoder_.count(); }

 private:
  Producer producer_;
  std::uint64_t next_seq_;
  bool wants_receipt_;
  LinesEncoder encoder_;
};

}  // namespace ringcast::ringlog
