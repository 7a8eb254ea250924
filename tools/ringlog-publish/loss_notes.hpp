// SPDX-License-Identifier: Apache-2.0
//
// LossNotes: what stands in the place of records that are dropped although they have their
// sequence numbers: for each run of lines of one producer one Dropped record that takes all
// their numbers, so that no reader waits for them or takes them for a hole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

class LossNotes {
 public:
  /// A record that is dropped; one that is such a note already becomes part of the new one.
  void add(std::span<const std::byte> payload);

  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  /// Lines that were dropped now, not those of older notes.
  [[nodiscard]] std::uint64_t fresh_lines() const { return fresh_lines_; }

 private:
  std::vector<Record> records_;
  std::uint64_t fresh_lines_{0};
};

}  // namespace ringcast::ringlog
