// SPDX-License-Identifier: Apache-2.0
//
// TimerTable: a deadline is due once, from its time on, and the earliest is known.
#include "protocol/ring/timers.hpp"

#include <chrono>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

constexpr Instant at(int ms) { return Instant{} + std::chrono::milliseconds{ms}; }

}  // namespace

TEST_CASE("a timer is due once, at its time and not before") {
  TimerTable timers;
  CHECK_FALSE(timers.take_due(Timer::join, at(100)));
  timers.arm(Timer::join, at(10));
  CHECK(timers.armed(Timer::join));
  CHECK_FALSE(timers.take_due(Timer::join, at(9)));
  CHECK(timers.take_due(Timer::join, at(10)));
  CHECK_FALSE(timers.armed(Timer::join));
  CHECK_FALSE(timers.take_due(Timer::join, at(11)));
}

TEST_CASE("arming again moves a timer and disarming stops it") {
  TimerTable timers;
  timers.arm(Timer::join, at(10));
  timers.arm(Timer::join, at(20));
  CHECK_FALSE(timers.take_due(Timer::join, at(15)));
  timers.disarm(Timer::join);
  CHECK_FALSE(timers.take_due(Timer::join, at(30)));
}

TEST_CASE("the earliest of all timers is known") {
  TimerTable timers;
  CHECK_FALSE(timers.earliest().has_value());
  timers.arm(Timer::token_loss, at(30));
  timers.arm(Timer::probe, at(10));
  timers.arm(Timer::join, at(20));
  CHECK(timers.earliest() == at(10));
  CHECK(timers.take_due(Timer::probe, at(10)));
  CHECK(timers.earliest() == at(20));
  timers.disarm_all();
  CHECK_FALSE(timers.earliest().has_value());
}

}  // namespace ringcast
