// SPDX-License-Identifier: Apache-2.0
//
// Lines into records.
#include "tools/ringlog-publish/batch.hpp"

#include <utility>
#include <variant>

namespace ringcast::ringlog {

void Batch::add(std::string_view line) {
  lines_.lines.emplace_back(line);
  bytes_ += line.size() + line_overhead_bytes;
}

std::optional<Record> Batch::take() {
  if (lines_.lines.empty()) return std::nullopt;
  Record record{producer_, next_seq_, std::exchange(lines_, Lines{})};
  next_seq_ = range_of(record).last + 1;
  bytes_ = 0;
  return record;
}

Record Batch::note(const Dropped& dropped) { return Record{producer_, next_seq_++, dropped}; }

Record Batch::note(const TooLong& too_long) { return Record{producer_, next_seq_++, too_long}; }

std::uint64_t line_count(const Record& record) {
  const auto* lines = std::get_if<Lines>(&record.body);
  return lines == nullptr ? 0 : lines->lines.size();
}

}  // namespace ringcast::ringlog
