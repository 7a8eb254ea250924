// SPDX-License-Identifier: Apache-2.0
//
// LineSplitter: bytes in, whole lines out. Holds the unfinished last line; a line that grows
// beyond the limit is not kept but counted to its end, and comes out as its length alone.
// Never cuts a line and never joins two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ringcast::ringlog {

/// A line without its newline; `text` is valid during the call and empty when too long.
struct SplitLine {
  std::string_view text;
  std::uint64_t bytes{0};
  bool too_long{false};
};

class LineSplitter {
 public:
  using Sink = std::function<void(const SplitLine&)>;

  explicit LineSplitter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void feed(std::string_view bytes, const Sink& sink);
  /// The input is over: an unfinished last line is a line too.
  void end(const Sink& sink);
  /// Forgets the unfinished line.
  void clear();

  /// Bytes of the unfinished line, kept or counted.
  [[nodiscard]] std::uint64_t unfinished() const { return overlong_ + partial_.size(); }

 private:
  std::size_t bytes_max_;
  std::string partial_;
  std::uint64_t overlong_{0};  // bytes counted of a line beyond the limit; 0: none
};

}  // namespace ringcast::ringlog
