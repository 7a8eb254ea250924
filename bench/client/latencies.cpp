// SPDX-License-Identifier: Apache-2.0
#include "client/latencies.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ringcast::bench {

// The first `steps` cells are a nanosecond wide; from there on each doubling has `steps` cells,
// told apart by the bits below the leading one.
std::size_t Latencies::cell_of(std::uint64_t nanoseconds) {
  if (nanoseconds < steps) return nanoseconds;
  const auto octave = static_cast<std::size_t>(std::bit_width(nanoseconds)) - steps_log2;
  const auto step = (nanoseconds >> (octave - 1)) - steps;
  return octave * steps + step;
}

std::uint64_t Latencies::middle_of(std::size_t cell) {
  const auto octave = cell / steps;
  if (octave == 0) return cell;
  const auto width = std::uint64_t{1} << (octave - 1);
  return (steps + cell % steps) * width + width / 2;
}

void Latencies::add(std::chrono::nanoseconds latency) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  ++cells_[std::min(cell_of(nanoseconds), cells_.size() - 1)];
  ++count_;
  max_ = std::max(max_, latency);
}

std::chrono::nanoseconds Latencies::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen{0};
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    seen += cells_[cell];
    if (seen >= wanted && seen > 0) {
      return std::min(max_, std::chrono::nanoseconds(middle_of(cell)));
    }
  }
  return max_;
}

}  // namespace ringcast::bench
