// SPDX-License-Identifier: Apache-2.0
//
// Instant: the monitor's time, handed in by whoever drives it. Unlike the stamps of log lines
// it never steps back: every class here may rely on that.
#pragma once

#include <chrono>

namespace ringcast::monitor {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace ringcast::monitor
