// SPDX-License-Identifier: Apache-2.0
//
// Buckets are reused when their second comes round again; nobody has to clear them in time.
#include "tools/ringlog-monitor/figures/rate_window.hpp"

#include <algorithm>

namespace ringcast::monitor {

namespace {

// One more than the longest span: the second that is going on.
constexpr std::size_t bucket_count = static_cast<std::size_t>(rate_spans.back().count()) + 1;

std::int64_t second_of(Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

std::size_t place_of(std::int64_t second) {
  constexpr auto count = static_cast<std::int64_t>(bucket_count);
  return static_cast<std::size_t>(((second % count) + count) % count);
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  requests += other.requests;
  bytes += other.bytes;
  errors += other.errors;
  return *this;
}

RateWindow::RateWindow() : buckets_(bucket_count) {}

void RateWindow::add(const Tally& tally, Instant now) {
  const auto second = second_of(now);
  auto& bucket = buckets_[place_of(second)];
  if (bucket.second != second) bucket = Bucket{second, {}};
  bucket.tally += tally;
}

Rate RateWindow::rate(std::chrono::seconds span, Instant since, Instant now) const {
  const auto end = second_of(now);
  const auto begin = std::max(end - span.count(), second_of(since));
  if (begin >= end) return {};
  Tally sum;
  for (const auto& bucket : buckets_) {
    if (bucket.second >= begin && bucket.second < end) sum += bucket.tally;
  }
  const auto seconds = static_cast<double>(end - begin);
  return Rate{
      static_cast<double>(sum.requests) / seconds,
      static_cast<double>(sum.bytes) / seconds,
      static_cast<double>(sum.errors) / seconds};
}

}  // namespace ringcast::monitor
