// SPDX-License-Identifier: Apache-2.0
//
// L6: under fair loss and the default timeouts a ring stays as it is. Which of the configuration
// changes of a run had a cause?
#pragma once

#include <vector>

#include "sim/history.hpp"
#include "sim/injection.hpp"

namespace ringcast::sim {

/// So long after an operation on a machine, or on who hears whom, changes are its doing: the
/// longest back-off, and a few attempts.
inline constexpr Duration cause_lasts{std::chrono::seconds{20}};

/// L6: in the mean, less than so many an hour.
inline constexpr double uncalled_per_hour_max = 1.0;

/// When regular configurations were first installed, before the faults ended, that followed
/// nothing but loss. `begin`: of the run, where all daemons start.
std::vector<Instant> uncalled_changes(
    const History& history, Instant begin, const std::vector<Injection>& injections);

/// More than this many in one run do not come of a mean of so many per hour: three standard
/// deviations of a Poisson count above it. (A campaign judges the mean itself.)
double uncalled_most(double per_hour, double hours);

}  // namespace ringcast::sim
