// SPDX-License-Identifier: Apache-2.0
//
// Injection: one thing done to a machine or a link from outside, at one instant, in words. A run
// writes down all that were done to it; performing the same list again gives the same run. So a
// failing run can be cut down one operation at a time.
//
// What can be said, d0 and d1 being machines:
//   crash d1                     start d1 torn      kept, lost, torn, stale, copied: its disk
//   leave d1                     pause d1           resume d1
//   fuse d1 send 5               ends after 5 more datagrams; or token, persist, ordered, between,
//                                delivery (FusePoint)
//   block d0->d1                 open d0->d1        either side may be *
//   split d0 d1 | d2             blocks between the sides, opens all others
//   limit d0->d1 300             longer datagrams vanish
//   link d0->d1 loss 0.2         one knob of LinkFaults, by its name
//   cpu d1 100                   everything takes it 100 times as long
//   clock d1 rate 1.1            or: clock d1 jump 200ms
//   disk d1 fail                 or ok, or: disk d1 slow 300ms
//   sends d1 0.3                 share of datagrams that its kernel refuses
//   buffer d1 4096               bytes that its socket holds
//   configure d1 d0 d1 d2        it now reads a configuration of these daemons
//   stranger d1 garbage 77       or cluster, version, unknown, malformed (strangers.hpp), drawn by
//   77 replay d1 token 3            the third last token that went to d1 comes again; or any, data,
//                                join, commit, probe, wakeup
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

/// The operation that gives one knob its value in `links`; none when there is no such knob.
std::vector<std::string> knob_operations(
    std::string_view link, std::string_view knob, const LinkFaults& links);

/// False: there is no such operation, or it names what is not there.
bool perform(Cluster& cluster, std::string_view what);

}  // namespace ringcast::sim
