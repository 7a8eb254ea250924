// SPDX-License-Identifier: Apache-2.0
//
// A whole node among hostile daemons and clients: the first byte chooses which daemon of three
// it is, the rest is a NodeScript. Then silence, in which it must come back to work.
#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/node_world.hpp"
#include "fuzz/targets.hpp"

namespace ringcast::fuzz {

void node(Bytes input) {
  if (input.empty()) return;
  const HeapMeter heap;
  {
    NodeWorld world(std::to_integer<std::size_t>(input[0]) % daemon_names.size());
    for (const auto& step : decode_script(input.subspan(1))) {
      world.carry_out(step);
    }
    world.check_recovers();
  }
  // Packets are kept as they came, frames are copied to each of a few clients.
  heap.check_peak(64 * input.size() + (std::size_t{4} << 20U), "a node");
}

}  // namespace ringcast::fuzz
