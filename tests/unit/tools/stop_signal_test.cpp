// SPDX-License-Identifier: Apache-2.0
//
// StopSignal: signals that end a program become something to poll for.
#include "tools/common/stop_signal.hpp"

#include <poll.h>
#include <signal.h>

#include <catch2/catch.hpp>

using ringcast::tools::StopSignal;

TEST_CASE("stop signal: each of the signals that end a program is one") {
  const auto before = signal(SIGHUP, SIG_DFL);  // nohup ignores it
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const StopSignal stop;
    CHECK_FALSE(StopSignal::requested());
    REQUIRE(raise(number) == 0);
    CHECK(StopSignal::requested());
    pollfd waiting{stop.fd(), POLLIN, 0};
    CHECK(poll(&waiting, 1, 0) == 1);
  }
  CHECK_FALSE(StopSignal::requested());
  (void)signal(SIGHUP, before);
}

TEST_CASE("stop signal: a hangup that is ignored stays ignored") {
  const auto before = signal(SIGHUP, SIG_IGN);
  {
    const StopSignal stop;
    REQUIRE(raise(SIGHUP) == 0);
    CHECK_FALSE(StopSignal::requested());
  }
  CHECK(signal(SIGHUP, before) == SIG_IGN);
}
