// SPDX-License-Identifier: Apache-2.0
//
// What the switch does to the frames of one directed link. A rate is a share of 1.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/random.hpp"

namespace ringcast::campaign {

using Frame = std::vector<std::byte>;

struct Knobs {
  double loss{0};
  double duplicate{0};
  double corrupt{0};
  double reorder{0};                    ///< share that overtakes: sent without the delay
  std::chrono::microseconds delay{0};   ///< of every frame
  std::chrono::microseconds jitter{0};  ///< on top, between nothing and this
  std::size_t bytes_max{0};             ///< longer frames are lost; 0: none

  auto operator<=>(const Knobs&) const = default;
};

/// "loss=0.1", "delay=2000" (microseconds) ...; false when there is no such knob.
bool turn(Knobs& knobs, std::string_view assignment);

struct LinkCounts {
  std::uint64_t passed{0};
  std::uint64_t lost{0};
  std::uint64_t duplicated{0};
  std::uint64_t corrupted{0};
  std::uint64_t overtook{0};
};

/// One direction between two ports: decides over each frame with its own random numbers.
class Link {
 public:
  explicit Link(std::uint64_t seed) : random_(seed) {}

  /// How long each copy of the frame waits: none when it is lost, two when it is doubled.
  /// May change a byte of the frame.
  std::vector<std::chrono::microseconds> decide(Frame& frame);

  Knobs knobs;
  LinkCounts counts;

 private:
  std::chrono::microseconds wait();

  sim::Random random_;
};

/// Changes one bit behind the UDP header of an IPv4 frame and takes the kernel's checksum away, so
/// that it is the daemon who must notice; any bit of another frame.
void corrupt(Frame& frame, sim::Random& random);

}  // namespace ringcast::campaign
