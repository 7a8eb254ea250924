// SPDX-License-Identifier: Apache-2.0
//
// Asking for the next part, or for the place up to which files agree.
#include "tools/ringlog-write/catch_up.hpp"

#include <algorithm>

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t request_bytes = std::uint64_t{8} << 20U;
constexpr std::size_t points_max = 64;
constexpr std::chrono::seconds answer_time{3};
constexpr std::chrono::milliseconds empty_pause{20};

}  // namespace

void CatchUp::begin(const std::set<std::string>& writers, std::uint64_t until) {
  stop();
  is_active_ = true;
  writers_.assign(writers.begin(), writers.end());
  until_ = until;
  wants_table_ = until == 0;
}

void CatchUp::stop() {
  is_active_ = false;
  writers_.clear();
  asked_at_.reset();
  pause_until_.reset();
  behind_.reset();
  search_.reset();
  ++id_;
}

void CatchUp::drop_writer() {
  if (!writers_.empty()) writers_.pop_front();
  asked_at_.reset();
  search_.reset();
  ++id_;
}

std::optional<std::pair<std::string, HistoryRequest>> CatchUp::next(
    const Store& store, const FilePoint& end, Instant now) {
  if (!is_active_ || (pause_until_ && now < *pause_until_)) return std::nullopt;
  if (asked_at_ && now - *asked_at_ > answer_time) drop_writer();
  if (asked_at_ || writers_.empty()) return std::nullopt;
  HistoryRequest request;
  request.group = group_;
  request.id = ++id_;
  request.until = until_;
  if (search_) {
    auto points = store.points_between(search_->low.length, search_->high, points_max);
    if (!points) {
      drop_writer();
      return std::nullopt;
    }
    search_->asked = std::move(points).value();
    request.from = search_->asked;
  } else {
    request.from = end.length > 0 ? Points{end} : Points{};
    request.bytes_max = request_bytes;
    request.wants_table = wants_table_;
    wants_table_ = false;
  }
  asked_at_ = now;
  pause_until_.reset();
  return std::pair(writers_.front(), std::move(request));
}

CatchUp::Step CatchUp::on_reply(
    const std::string& sender, const HistoryReply& reply, const FilePoint& end, Instant now) {
  if (!asked_at_ || writers_.empty() || sender != writers_.front() || reply.id != id_) return {};
  if (!reply.is_served) {
    drop_writer();
    return {};
  }
  asked_at_ = reply.is_last ? std::nullopt : std::optional(now);
  if (search_) {
    auto& search = *search_;
    const auto place = std::find(search.asked.begin(), search.asked.end(), reply.agreed);
    const auto higher = place == search.asked.end() ? search.asked.begin() : std::next(place);
    if (higher != search.asked.end()) search.high = higher->length;
    if (place != search.asked.end()) search.low = reply.agreed;
    if (!search.asked.empty()) return {};
    return Step{false, std::exchange(search_, std::nullopt)->low};
  }
  behind_ = reply.end.length - std::min(reply.end.length, end.length + reply.data.size());
  if (reply.agreed == end) {
    if (reply.data.empty()) pause_until_ = now + empty_pause;
    return Step{!reply.data.empty(), std::nullopt};
  }
  asked_at_.reset();
  ++id_;
  search_ = Search{FilePoint{}, end.length, {}};
  return {};
}

std::optional<CatchUp::Instant> CatchUp::next_step() const {
  if (!is_active_) return std::nullopt;
  if (asked_at_) return *asked_at_ + answer_time;
  return pause_until_;
}

}  // namespace ringcast::ringlog
