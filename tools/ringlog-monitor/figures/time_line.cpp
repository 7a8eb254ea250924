// SPDX-License-Identifier: Apache-2.0
//
// Buckets have numbers since 1970, so that two neighbours make one of twice the width.
#include "tools/ringlog-monitor/figures/time_line.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/ringlog-monitor/figures/log_linear.hpp"

namespace ringcast::monitor {

namespace {

using Places = LogLinear<3>;

constexpr double half = 0.5;
constexpr double nine_tenths = 0.9;
constexpr double most = 0.99;

// REQUIRES: counters are not all zero.
std::uint64_t percentile(const std::vector<std::uint32_t>& counters, double share) {
  const auto count = std::accumulate(counters.begin(), counters.end(), std::uint64_t{0});
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
  std::uint64_t passed = 0;
  std::size_t place = 0;
  for (; place + 1 < counters.size(); ++place) {
    passed += counters[place];
    if (passed >= rank) break;
  }
  return Places::value_at(place);
}

}  // namespace

std::int64_t TimeLine::number_of(Instant now) const {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() / step_;
}

void TimeLine::add(const Tally& tally, std::optional<std::uint64_t> latency, Instant now) {
  if (now == Instant{}) return;
  auto& bucket = bucket_at(now);
  bucket.tally += tally;
  if (!latency) return;
  if (bucket.latencies.empty()) bucket.latencies.resize(Places::place_count);
  ++bucket.latencies[Places::place_of(*latency)];
}

TimeLine::Bucket& TimeLine::bucket_at(Instant now) {
  const auto room = static_cast<std::int64_t>(buckets_max_);
  if (buckets_.empty()) first_ = number_of(now);
  if (when_full_ == WhenFull::widen) {
    while (number_of(now) - first_ >= room) {
      widen();
    }
  }
  const auto number = number_of(now);
  if (number - first_ >= 2 * room) {
    buckets_.clear();  // all of them are too old
    first_ = number - room + 1;
  }
  buckets_.resize(std::max(buckets_.size(), static_cast<std::size_t>(number - first_ + 1)));
  while (buckets_.size() > buckets_max_) {
    buckets_.pop_front();
    ++first_;
  }
  return buckets_.back();
}

void TimeLine::widen() {
  std::deque<Bucket> wider;
  const auto first = first_ / 2;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const auto place =
        static_cast<std::size_t>((first_ + static_cast<std::int64_t>(i)) / 2 - first);
    if (place >= wider.size()) wider.resize(place + 1);
    merge(wider[place], buckets_[i]);
  }
  buckets_ = std::move(wider);
  first_ = first;
  step_ *= 2;
}

void TimeLine::merge(Bucket& into, const Bucket& from) {
  into.tally += from.tally;
  if (from.latencies.empty()) return;
  into.latencies.resize(Places::place_count);
  for (std::size_t i = 0; i < from.latencies.size(); ++i) {
    into.latencies[i] += from.latencies[i];
  }
}

TimeLine::Stretch TimeLine::read(Instant now, Current current, std::size_t points_max) const {
  Stretch stretch;
  stretch.step = step_;
  if (buckets_.empty()) return stretch;
  const auto end = number_of(now) + (current == Current::with ? 1 : 0);
  const auto length = static_cast<std::int64_t>(std::min(points_max, buckets_max_));
  const auto begin = std::max(first_, end - length);
  stretch.start = Instant(step_ * begin);
  for (auto number = begin; number < end; ++number) {
    stretch.points.push_back(point_of(number, now));
  }
  return stretch;
}

TimeLine::Point TimeLine::point_of(std::int64_t number, Instant now) const {
  Point point;
  const auto place = static_cast<std::size_t>(number - first_);
  if (place >= buckets_.size()) return point;
  const auto& bucket = buckets_[place];
  // What is not over is the mean of the seconds that there were.
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
  const auto passed = second - (step_ * number) + std::chrono::seconds(1);
  const auto seconds = static_cast<double>(std::min(passed, step_).count());
  point.rate.requests = static_cast<double>(bucket.tally.requests) / seconds;
  point.rate.bytes = static_cast<double>(bucket.tally.bytes) / seconds;
  point.rate.errors = static_cast<double>(bucket.tally.errors) / seconds;
  if (bucket.latencies.empty()) return point;
  point.has_latency = true;
  point.p50 = percentile(bucket.latencies, half);
  point.p90 = percentile(bucket.latencies, nine_tenths);
  point.p99 = percentile(bucket.latencies, most);
  return point;
}

}  // namespace ringcast::monitor
