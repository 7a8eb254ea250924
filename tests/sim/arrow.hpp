// SPDX-License-Identifier: Apache-2.0
//
// A packet as a line of a sequence diagram: a column per daemon, an arrow from sender to
// receiver, an x where it is lost.
//
//     812.104ms  |     o----->     |    token 17 seq 42 aru 40
//     812.110ms  |     o-----------x    data seq 43
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "sim/network.hpp"

namespace ringcast::sim {

std::string arrow(
    std::size_t hosts,
    Instant now,
    std::size_t from,
    std::size_t to,
    const BufferRef& bytes,
    Fate fate);

}  // namespace ringcast::sim
