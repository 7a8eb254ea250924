// SPDX-License-Identifier: Apache-2.0
//
// RingPhase: the states of the ring. What moves between them stands in ring.hpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringcast {

enum class RingPhase : std::uint8_t { starting, operational, gather, commit, recovery, stopped };
std::string_view to_string(RingPhase phase);

}  // namespace ringcast
