// SPDX-License-Identifier: Apache-2.0
//
// Input: the bytes of a pipe or a regular file on stdin as lines for a LineEntry.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/ringlog-publish/line_entry.hpp"
#include "tools/ringlog-publish/line_splitter.hpp"
#include "tools/ringlog/group_packet.hpp"

namespace ringcast::ringlog {

class Input {
 public:
  using Instant = LineEntry::Instant;
  using Options = LineEntry::Options;

  /// `intake` and `filter` outlive this.
  Input(const Options& options, const Producer& producer, Filter& filter, Intake& intake);

  /// Bytes that were read; to be given whole.
  void feed(std::string_view bytes, Instant now);
  /// In the place of lines that were dropped before they came here.
  void take_note(const DropNote& note, Instant now);
  /// No more will come: the unfinished last line is a line.
  void end(Instant now);
  /// More would come, but it is not read: the unfinished line is no line. Returns its bytes.
  std::uint64_t abandon(Instant now);

  LineEntry& entry() { return entry_; }
  [[nodiscard]] const LineEntry& entry() const { return entry_; }

 private:
  void on_line(const SplitLine& line, Instant now);

  LineSplitter splitter_;
  LineEntry entry_;
};

}  // namespace ringcast::ringlog
