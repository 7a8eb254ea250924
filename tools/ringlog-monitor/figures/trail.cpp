// SPDX-License-Identifier: Apache-2.0
//
// A ring that grows until it is full.
#include "tools/ringlog-monitor/figures/trail.hpp"

#include <utility>

namespace ringcast::monitor {

std::size_t Trail::add(Click click) {
  if (clicks_.size() < clicks_max) {
    clicks_.push_back(std::move(click));
    return 1;
  }
  clicks_[oldest_] = std::move(click);
  oldest_ = (oldest_ + 1) % clicks_max;
  ++gone_;
  return 0;
}

std::size_t Trail::cut() {
  const auto count = clicks_.size();
  gone_ += count;
  clicks_ = {};
  oldest_ = 0;
  return count;
}

std::vector<Click> Trail::list() const {
  std::vector<Click> list;
  list.reserve(clicks_.size());
  for (std::size_t i = 0; i < clicks_.size(); ++i) {
    list.push_back(clicks_[(oldest_ + i) % clicks_.size()]);
  }
  return list;
}

}  // namespace ringcast::monitor
