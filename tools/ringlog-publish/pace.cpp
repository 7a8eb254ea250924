// SPDX-License-Identifier: Apache-2.0
//
// How far each writer is behind what was ordered.
#include "tools/ringlog-publish/pace.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ringcast::ringlog {

namespace {

// More than enough for all records a window can hold; what is older counts as behind.
constexpr std::size_t positions_max = 65536;
constexpr std::chrono::milliseconds first_word_time{2000};

}  // namespace

void Pace::on_ordered(const Position& position, std::size_t bytes) {
  total_ += bytes;
  ordered_[position] = total_;
  if (ordered_.size() > positions_max) ordered_.erase(ordered_.begin());
}

void Pace::on_progress(const std::string& writer, const Position& position, Instant now) {
  was_heard_ = true;
  auto& known = writers_[writer];
  known.position = std::max(known.position, position);
  known.heard = now;
  auto slowest = known.position;
  for (const auto& [name, other] : writers_) {
    slowest = std::min(slowest, other.position);
  }
  // Everybody is past these; the last of them still tells how much that is.
  auto end = ordered_.upper_bound(slowest);
  if (end != ordered_.begin()) ordered_.erase(ordered_.begin(), std::prev(end));
}

void Pace::on_session_end() {
  ordered_.clear();
  total_ = 0;
  was_heard_ = false;
  silent_since_.reset();
  writers_.clear();
  wake_up_.reset();
}

std::uint64_t Pace::behind(const Position& position) const {
  const auto next = ordered_.upper_bound(position);
  if (next == ordered_.end()) return 0;
  if (next == ordered_.begin()) return total_ - next->second;
  return total_ - std::prev(next)->second;
}

void Pace::wait_for_first(Instant now) {
  if (was_heard_ || total_ <= behind_bytes_max_) return;
  if (!silent_since_) silent_since_ = now;
  if (now - *silent_since_ < first_word_time) wake_up_ = *silent_since_ + first_word_time;
}

bool Pace::may_send(Instant now) {
  wake_up_.reset();
  wait_for_first(now);
  for (auto it = writers_.begin(); it != writers_.end();) {
    const bool is_behind = behind(it->second.position) > behind_bytes_max_;
    if (is_behind && now - it->second.heard >= patience_) {
      given_up_.push_back(it->first);
      it = writers_.erase(it);
      continue;
    }
    if (is_behind) {
      const auto end = it->second.heard + patience_;
      wake_up_ = wake_up_ ? std::max(*wake_up_, end) : end;
    }
    ++it;
  }
  return !wake_up_.has_value();
}

std::vector<std::string> Pace::given_up() { return std::exchange(given_up_, {}); }

}  // namespace ringcast::ringlog
