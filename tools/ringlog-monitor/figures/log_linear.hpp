// SPDX-License-Identifier: Apache-2.0
//
// Log-linear places: every power of two is divided into 2^part_bits parts, so a value read back
// is off by at most half a part; below 2^(part_bits + 1) it is exact. For histograms of a fixed
// size. What is above value_max is counted there.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ringcast::monitor {

template <unsigned part_bits>
struct LogLinear {
  static constexpr std::uint64_t parts = std::uint64_t{1} << part_bits;
  static constexpr std::uint64_t exact_below = 2 * parts;
  // 2^40: a terabyte, or twelve days in microseconds.
  static constexpr unsigned value_bits_max = 40;
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits_max) - 1;
  static constexpr std::size_t place_count =
      exact_below + ((value_bits_max - part_bits - 1) * parts);

  static std::size_t place_of(std::uint64_t value) {
    value = std::min(value, value_max);
    if (value < exact_below) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
    return exact_below + ((shift - 1) * parts) + ((value >> shift) - parts);
  }

  /// The middle of what is counted there.
  static std::uint64_t value_at(std::size_t place) {
    if (place < exact_below) return place;
    const auto shift = ((place - exact_below) / parts) + 1;
    const auto part = (place - exact_below) % parts;
    return ((parts + part) << shift) + (std::uint64_t{1} << (shift - 1));
  }
};

}  // namespace ringcast::monitor
