// SPDX-License-Identifier: Apache-2.0
//
// Where a value is counted, and what a counter stands for.
#include "tools/ringlog-monitor/figures/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ringcast::monitor {

namespace {

constexpr unsigned part_bits = 5;
constexpr std::uint64_t parts = std::uint64_t{1} << part_bits;
constexpr std::uint64_t exact_below = 2 * parts;
// 2^40: a terabyte, or twelve days in microseconds. Above, only the maximum is exact.
constexpr unsigned value_bits_max = 40;
constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits_max) - 1;
constexpr std::size_t counter_count = exact_below + ((value_bits_max - part_bits - 1) * parts);

std::size_t place_of(std::uint64_t value) {
  value = std::min(value, value_max);
  if (value < exact_below) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
  return exact_below + ((shift - 1) * parts) + ((value >> shift) - parts);
}

// The middle of what is counted there.
std::uint64_t value_at(std::size_t place) {
  if (place < exact_below) return place;
  const auto shift = ((place - exact_below) / parts) + 1;
  const auto part = (place - exact_below) % parts;
  return ((parts + part) << shift) + (std::uint64_t{1} << (shift - 1));
}

std::int64_t slot_number(Instant now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() /
         RecentHistogram::slot_length;
}

}  // namespace

Histogram::Histogram() : counters_(counter_count) {}

void Histogram::add(std::uint64_t value) {
  ++counters_[place_of(value)];
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
    if (passed >= rank) return std::clamp(value_at(place), min_, max_);
  }
  return max_;
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
