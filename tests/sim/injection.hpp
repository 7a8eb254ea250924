// SPDX-License-Identifier: Apache-2.0
//
// Injection: one thing done to a machine or a link from outside, at one instant, in words. A run
// writes down all that were done to it; performing the same list again gives the same run. So a
// failing run can be cut down one operation at a time.
//
// What can be said:
//   crash d2            fuse d2 send 5         dies after 5 more datagrams
//   start d2 torn       kept, lost or torn: what its disk still has
//   leave d2            pause d2               resume d2
//   block d0->d1        open d0->d1            either side may be *
//   split d0 d1 | d2    blocks between the sides, opens all others
//   limit d0->d1 300    longer datagrams vanish
//   link d0->d1 loss 0.2                       one knob of LinkFaults, by its name
// An operation that makes no sense at the moment (a machine that is down cannot crash) does
// nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/time.hpp"
#include "sim/cluster.hpp"

namespace ringcast::sim {

struct Injection {
  Duration at{};  ///< since the run began
  std::string what;

  bool operator==(const Injection&) const = default;
};

/// "1234.567890ms crash d2", and back. Nothing: not an injection.
std::string to_string(const Injection& injection);
std::optional<Injection> parse_injection(std::string_view line);

/// Exact: "60us", "1500ns". Nothing: not a duration.
std::string to_words(Duration duration);
std::optional<Duration> parse_duration(std::string_view text);

/// The operations that bring every link from LinkFaults{} to `links`: one for each knob that
/// differs.
std::vector<std::string> link_operations(std::string_view link, const LinkFaults& links);

/// False: there is no such operation, or it names what is not there.
bool perform(Cluster& cluster, std::string_view what);

}  // namespace ringcast::sim
