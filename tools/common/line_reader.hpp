// SPDX-License-Identifier: Apache-2.0
//
// LineReader: lines of any bytes from a file descriptor, without ever holding more than one
// line and one block of input. A last line without a newline is a line too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

namespace ringcast::tools {

class LineReader {
 public:
  /// Longer lines than `line_bytes_max` are refused.
  LineReader(int fd, std::size_t line_bytes_max) : fd_(fd), line_bytes_max_(line_bytes_max) {}

  /// The next line that is already here, without its newline. Valid until the next fill().
  /// Nothing: fill() first, or the input has ended.
  /// Errors: too_large, naming the line and the limit.
  Result<std::optional<std::string_view>> next();

  /// Reads once, blocking if nothing is there. Errors: io.
  Result<void> fill();

  /// True when the input has ended and every line of it was returned.
  [[nodiscard]] bool at_end() const { return ended_ && begin_ == buffer_.size(); }

 private:
  [[nodiscard]] Error too_large(std::size_t bytes, bool whole) const;

  int fd_;
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t begin_{0};    ///< the first byte not yet returned
  std::size_t scanned_{0};  ///< no newline in [begin_, scanned_)
  std::uint64_t lines_{0};  ///< returned so far
  bool ended_{false};
};

}  // namespace ringcast::tools
