// SPDX-License-Identifier: Apache-2.0
//
// Factors of the units in which bounds of options are written: nanoseconds and bytes.
#pragma once

#include <cstdint>

namespace ringcast::units {

inline constexpr std::uint64_t us = 1'000;
inline constexpr std::uint64_t ms = 1'000 * us;
inline constexpr std::uint64_t s = 1'000 * ms;
inline constexpr std::uint64_t kib = 1'024;
inline constexpr std::uint64_t mib = 1'024 * kib;
inline constexpr std::uint64_t gib = 1'024 * mib;

}  // namespace ringcast::units
