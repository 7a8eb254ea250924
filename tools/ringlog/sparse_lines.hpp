// SPDX-License-Identifier: Apache-2.0
//
// SparseLines: the whole lines of a text file whose front may have been released, so that a hole
// is where it stood. The offsets of lines are those they always had. Zero bytes are no part of a
// line: what a hole cut in two is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

/// The first byte at or behind `from` that is not in a hole, as far as the file system tells; the
/// end of the file when there is none.
std::uint64_t first_data(int fd, std::uint64_t from);
/// What of a line stands behind its last zero byte.
std::string_view behind_zeros(std::string_view line);

class SparseLines {
 public:
  /// A file that is not there has no lines. Errors: io.
  static Result<SparseLines> open(const std::string& path);

  /// The next line without its newline, valid until the next call; nothing at the end, or when
  /// what is left has no newline. Errors: io.
  Result<std::optional<std::string_view>> next();
  /// Of the line that was returned last: where it begins, and where its newline ends.
  [[nodiscard]] std::uint64_t line_begins() const { return line_begins_; }
  [[nodiscard]] std::uint64_t line_ends() const { return line_ends_; }

 private:
  SparseLines(std::string path, Descriptor file);

  std::string path_;
  Descriptor file_;
  std::string text_;  // read, and not yet returned from next_ on
  std::size_t next_{0};
  std::uint64_t text_begins_{0};  // in the file
  std::uint64_t line_begins_{0};
  std::uint64_t line_ends_{0};
};

}  // namespace ringcast::ringlog
