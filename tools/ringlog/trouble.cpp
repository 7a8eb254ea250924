// SPDX-License-Identifier: Apache-2.0
//
// Back off, say it once.
#include "tools/ringlog/trouble.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds pause_min{50};
// A disk on the edge takes some and refuses some; that is one trouble, not many.
constexpr std::chrono::seconds well_for{10};

}  // namespace

bool Trouble::on_failure(const std::string& what, Instant now) {
  pause_ = std::clamp(2 * pause_, pause_min, pause_max_);
  failed_at_ = now;
  retry_at_ = now + pause_;
  return std::exchange(said_, what) != what;
}

bool Trouble::on_success(Instant now) {
  if (now - failed_at_ >= well_for) said_.clear();
  pause_ = {};
  return std::exchange(retry_at_, std::nullopt).has_value();
}

}  // namespace ringcast::ringlog
