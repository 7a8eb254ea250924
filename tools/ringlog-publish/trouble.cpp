// SPDX-License-Identifier: Apache-2.0
//
// Back off, say it once.
#include "tools/ringlog-publish/trouble.hpp"

#include <algorithm>

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds pause_min{250};
constexpr std::chrono::milliseconds pause_max{5000};

}  // namespace

bool Trouble::on_failure(const std::string& what, Instant now) {
  pause_ = std::clamp(2 * pause_, pause_min, pause_max);
  retry_at_ = now + pause_;
  const bool is_news = what != said_;
  said_ = what;
  return is_news;
}

void Trouble::on_success() { *this = Trouble(); }

}  // namespace ringcast::ringlog
