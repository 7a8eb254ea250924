// SPDX-License-Identifier: Apache-2.0
//
// RangeSet on an ordered map of first -> last.
#include "tools/ringlog/range_set.hpp"

#include <algorithm>
#include <iterator>

namespace ringcast::ringlog {

std::vector<Range> RangeSet::missing_from(Range range) const {
  std::vector<Range> missing;
  auto next = range.first;
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin()) --it;
  for (; it != ranges_.end() && it->first <= range.last; ++it) {
    if (it->second < next) continue;
    if (it->first > next) missing.push_back(Range{next, it->first - 1});
    if (it->second >= range.last) return missing;
    next = it->second + 1;
  }
  missing.push_back(Range{next, range.last});
  return missing;
}

std::vector<Range> RangeSet::add(Range range) {
  auto added = missing_from(range);
  if (added.empty()) return added;
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin()) {
    const auto before = std::prev(it);
    // Touching is enough: 1..4 and 5..6 become 1..6.
    if (before->second >= range.first || before->second + 1 == range.first) it = before;
  }
  while (it != ranges_.end() && (it->first <= range.last || it->first - 1 == range.last)) {
    range.first = std::min(range.first, it->first);
    range.last = std::max(range.last, it->second);
    it = ranges_.erase(it);
  }
  ranges_.emplace(range.first, range.last);
  return added;
}

void RangeSet::remove(Range range) {
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin()) --it;
  while (it != ranges_.end() && it->first <= range.last) {
    const auto [first, last] = *it;
    if (last < range.first) {
      ++it;
      continue;
    }
    it = ranges_.erase(it);
    if (first < range.first) ranges_.emplace(first, range.first - 1);
    if (last > range.last) ranges_.emplace(range.last + 1, last);
  }
}

bool RangeSet::contains(std::uint64_t value) const {
  auto it = ranges_.upper_bound(value);
  if (it == ranges_.begin()) return false;
  return std::prev(it)->second >= value;
}

std::uint64_t RangeSet::count() const {
  std::uint64_t total = 0;
  for (const auto& [first, last] : ranges_) {
    total += last - first + 1;
  }
  return total;
}

std::vector<Range> RangeSet::ranges() const {
  std::vector<Range> all;
  all.reserve(ranges_.size());
  for (const auto& [first, last] : ranges_) {
    all.push_back(Range{first, last});
  }
  return all;
}

}  // namespace ringcast::ringlog
