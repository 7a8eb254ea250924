// SPDX-License-Identifier: Apache-2.0
//
// EntryLines: goes through the lines of an entry and tells each by its name. Two writers cut
// the same file into different entries, so an entry can also be split where the other's ends.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/ringlog-write/file_state.hpp"

namespace ringcast::ringlog {

struct NamedLine {
  std::string_view text;  ///< without newline
  bool is_marker{false};
  const Addition* addition{nullptr};  ///< of a line or a loss; null: it has no name
  std::uint64_t seq{0};
};

class EntryLines {
 public:
  /// `data` is what stands between entry.before and entry.after, or the beginning of it. Both
  /// must outlive this.
  EntryLines(const FileEntry& entry, std::string_view data) : entry_(entry), rest_(data) {}

  /// The next line; nothing at the end, or where data and entry do not fit.
  std::optional<NamedLine> next();
  /// Everything was gone through, and it fits.
  [[nodiscard]] bool is_done() const { return fits_ && rest_.empty(); }
  /// Behind the last line that was returned.
  [[nodiscard]] const FilePoint& here() const { return here_; }
  /// The entry up to here, and from here on; both with the position of the whole.
  [[nodiscard]] std::pair<FileEntry, FileEntry> split() const;

 private:
  bool take_marker(NamedLine& line, const FileMarker& marker);
  bool take(AddedAs as, NamedLine& line);
  bool take_gaps(std::uint64_t count);

  const FileEntry& entry_;
  std::string_view rest_;
  FilePoint here_{entry_.before};
  std::size_t marker_{0};    // the next one
  std::size_t addition_{0};  // the one in use, and how many of its numbers are used
  std::uint64_t used_{0};
  bool fits_{true};
};

/// The entry up to `length` and from there on; nothing when no line ends there or data and
/// entry do not fit. REQUIRES: data reaches to `length` at least.
std::optional<std::pair<FileEntry, FileEntry>> split_at(
    const FileEntry& entry, std::string_view data, std::uint64_t length);

}  // namespace ringcast::ringlog
