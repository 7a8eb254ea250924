// SPDX-License-Identifier: Apache-2.0
//
// Where a value is counted, and what a counter stands for.
#include "tools/ringlog-monitor/figures/histogram.hpp"

#include <algorithm>
#include <cmath>

#include "tools/ringlog-monitor/figures/log_linear.hpp"

namespace ringcast::monitor {

namespace {

using Places = LogLinear<5>;

std::int64_t slot_number(Instant now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() /
         RecentHistogram::slot_length;
}

}  // namespace

Histogram::Histogram() : counters_(Places::place_count) {}

void Histogram::add(std::uint64_t value) {
  ++counters_[Places::place_of(value)];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
  ++count_;
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    counters_[i] += other.counters_[i];
  }
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

void Histogram::clear() { *this = Histogram(); }

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  if (rank == count_) return max_;
  std::uint64_t passed = 0;
  for (std::size_t place = 0; place < counters_.size(); ++place) {
    passed += counters_[place];
    if (passed >= rank) return std::clamp(Places::value_at(place), min_, max_);
  }
  return max_;
}

std::uint64_t Histogram::count_up_to(std::uint64_t value) const {
  if (value >= max_) return count_;
  std::uint64_t passed = 0;
  for (std::size_t place = 0; place <= Places::place_of(value); ++place) {
    passed += counters_[place];
  }
  return passed;
}

void RecentHistogram::add(std::uint64_t value, Instant now) {
  const auto number = slot_number(now);
  auto& slot = slots_.at(static_cast<std::size_t>(number) % slots);
  if (slot.number != number) {
    slot.number = number;
    slot.histogram.clear();
  }
  slot.histogram.add(value);
}

Histogram RecentHistogram::recent(Instant now) const {
  Histogram merged;
  const auto newest = slot_number(now);
  for (const auto& slot : slots_) {
    const bool is_recent =
        slot.number >= 0 && slot.number > newest - static_cast<std::int64_t>(slots);
    if (is_recent) merged.add(slot.histogram);
  }
  return merged;
}

}  // namespace ringcast::monitor
