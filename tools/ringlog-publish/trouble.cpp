// SPDX-License-Identifier: Apache-2.0
//
// Back off, say it once.
#include "tools/ringlog-publish/trouble.hpp"

#include <algorithm>

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds pause_min{250};
// A disk on the edge takes some and refuses some; that is one trouble, not many.
constexpr std::chrono::seconds well_for{10};

}  // namespace

bool Trouble::on_failure(const std::string& what, Instant now) {
  pause_ = std::clamp(2 * pause_, pause_min, pause_max_);
  failed_at_ = now;
  retry_at_ = now + pause_;
  const bool is_news = what != said_;
  said_ = what;
  return is_news;
}

void Trouble::on_success(Instant now) {
  if (now - failed_at_ >= well_for) said_.clear();
  pause_ = {};
  retry_at_ = {};
}

}  // namespace ringcast::ringlog
