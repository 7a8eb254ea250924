// SPDX-License-Identifier: Apache-2.0
//
// RangeSet: a set of sequence numbers kept as disjoint closed ranges, never touching one
// another. What a writer has of one producer; usually a single range, whatever its length.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace ringcast::ringlog {

/// first..last, both inside.
struct Range {
  std::uint64_t first{0};
  std::uint64_t last{0};

  auto operator<=>(const Range&) const = default;
  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

class RangeSet {
 public:
  /// Adds and returns what was not there before, ascending. REQUIRES: first <= last.
  std::vector<Range> add(Range range);
  /// Takes out what of `range` is in the set. REQUIRES: first <= last.
  void remove(Range range);
  [[nodiscard]] bool contains(std::uint64_t value) const;
  /// The parts of `range` that are not in the set, ascending.
  [[nodiscard]] std::vector<Range> missing_from(Range range) const;

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  /// The highest number in the set. REQUIRES: not empty.
  [[nodiscard]] std::uint64_t last() const { return ranges_.rbegin()->second; }
  /// How many numbers are in the set.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::vector<Range> ranges() const;

  bool operator==(const RangeSet&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last
};

}  // namespace ringcast::ringlog
