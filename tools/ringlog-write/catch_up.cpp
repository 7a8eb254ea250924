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
  fronts_.clear();
  front_.reset();
  ++id_;
}

// Only when no other writer can help, one is asked for its front.
void CatchUp::drop_writer() {
  if (!writers_.empty()) writers_.pop_front();
  asked_at_.reset();
  search_.reset();
  front_.reset();
  ++id_;
}

std::optional<std::pair<std::string, HistoryRequest>> CatchUp::next(
    const Store& store, const FilePoint& end, Instant now) {
  if (!is_active_ || (pause_until_ && now < *pause_until_)) return std::nullopt;
  if (asked_at_ && now - *asked_at_ > answer_time) drop_writer();
  if (asked_at_) return std::nullopt;
  if (writers_.empty() && !fronts_.empty()) {
    writers_.push_back(std::move(fronts_.front()));
    fronts_.pop_front();
    front_ = Front{};
  }
  if (writers_.empty()) return std::nullopt;
  has_front_ = store.begins().length > 0;
  HistoryRequest request;
  request.group = group_;
  request.id = ++id_;
  request.until = until_;
  if (front_) {
    *front_ = Front{};
    request.from = FromFront{};
    request.wants_table = true;
  } else if (search_) {
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
  if (front_) return on_front(reply);
  if (search_) return on_searched(reply);
  behind_ = reply.end.length - std::min(reply.end.length, end.length + reply.data.size());
  if (reply.begins.length > end.length) {
    fronts_.push_back(sender);
    drop_writer();
    return {};
  }
  if (reply.agreed == end) {
    if (reply.data.empty()) pause_until_ = now + empty_pause;
    return Step{!reply.data.empty(), std::nullopt};
  }
  asked_at_.reset();
  ++id_;
  search_ = Search{FilePoint{}, end.length, {}};
  return {};
}

CatchUp::Step CatchUp::on_searched(const HistoryReply& reply) {
  auto& search = *search_;
  const auto place = std::find(search.asked.begin(), search.asked.end(), reply.agreed);
  const auto higher = place == search.asked.end() ? search.asked.begin() : std::next(place);
  if (higher != search.asked.end()) search.high = higher->length;
  if (place != search.asked.end()) search.low = reply.agreed;
  if (!search.asked.empty()) return {};
  const auto low = search.low;
  search_.reset();
  // That files agree at their beginning says nothing when it is not kept.
  const bool is_common = low.length > 0 || (reply.begins.length == 0 && !has_front_);
  if (is_common) return Step{false, low};
  fronts_.push_back(writers_.front());
  drop_writer();
  return {};
}

CatchUp::Step CatchUp::on_front(const HistoryReply& reply) {
  auto front = std::move(*front_);
  const bool is_whole = front.is_complete && front.front.begins == reply.agreed;
  if (!is_whole) {
    drop_writer();
    return {};
  }
  front_.reset();
  writers_.insert(writers_.end(), fronts_.begin(), fronts_.end());
  fronts_.clear();
  wants_table_ = until_ == 0;  // what it has of what we fetch, now that we know from where on
  return Step{false, std::nullopt, std::move(front.front)};
}

void CatchUp::on_front_table(
    const std::string& sender, std::uint64_t request, const TableMessage& part) {
  const bool is_asked = front_ && asked_at_ && request == id_ && !writers_.empty() &&
                        sender == writers_.front() && part.part == front_->parts + 1;
  if (!is_asked) return;
  front_->front.begins = part.end;
  front_->front.table.merge(part.table);
  front_->front.gaps.merge(part.gaps);
  front_->parts = part.part;
  front_->is_complete = part.part == part.parts;
}

std::optional<CatchUp::Instant> CatchUp::next_step() const {
  if (!is_active_) return std::nullopt;
  if (asked_at_) return *asked_at_ + answer_time;
  return pause_until_;
}

}  // namespace ringcast::ringlog
