// SPDX-License-Identifier: Apache-2.0
//
// The session that is made again: nobody is held up while it is.
#include <catch2/catch.hpp>

#include "tests/unit/client/fake_daemon.hpp"
#include "tools/ringlog/link.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

// Calls as a program's loop does, until the attempt has ended.
bool finish_attempt(Link& link) {
  const auto end = soon();
  while (link.is_connecting() && Link::Clock::now() < end) {
    if (link.try_connect(link.next_attempt())) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a daemon that is slow to answer holds nobody up and is still met", "[ringlog]") {
  FakeDaemon daemon;
  Link link(daemon.options(), "test");
  // It has not even accepted: before this call returns nothing is said.
  CHECK_FALSE(link.try_connect(Link::Clock::now()));
  CHECK(link.is_connecting());
  CHECK(link.client() == nullptr);
  REQUIRE(daemon.greet());
  CHECK(finish_attempt(link));
  REQUIRE(link.client() != nullptr);
  CHECK_FALSE(link.is_connecting());
  CHECK(link.was_ever_connected());
  link.drop("test");
  CHECK(link.client() == nullptr);
}

TEST_CASE("sessions that end at once are made again with growing pauses", "[ringlog]") {
  FakeDaemon daemon;
  Link link(daemon.options(), "test");
  auto pause = Link::Clock::duration::zero();
  for (int i = 0; i < 6; ++i) {
    (void)link.try_connect(link.next_attempt());
    REQUIRE(daemon.greet());
    REQUIRE((link.client() != nullptr || finish_attempt(link)));
    daemon.hang_up();
    link.drop("test");
    const auto now = Link::Clock::now();
    CHECK(link.next_attempt() - now > pause);
    pause = link.next_attempt() - now;
  }
}

TEST_CASE("an attempt that fails is made again after a pause", "[ringlog]") {
  FakeDaemon daemon;
  daemon.vanish();
  Link link(daemon.options(), "test");
  const auto before = Link::Clock::now();
  (void)link.try_connect(before);
  CHECK_FALSE(finish_attempt(link));
  CHECK_FALSE(link.is_connecting());
  CHECK(link.next_attempt() > before);
  CHECK_FALSE(link.try_connect(before));  // not yet
  CHECK_FALSE(link.is_connecting());
  CHECK_FALSE(link.was_ever_connected());
  CHECK_FALSE(link.fatal());
}

TEST_CASE("of several daemons the next is tried when one does not answer", "[ringlog]") {
  FakeDaemon first;
  FakeDaemon second;
  Link link({first.options(), second.options()}, "test");
  (void)link.try_connect(link.next_attempt());
  REQUIRE(first.greet());
  REQUIRE((link.client() != nullptr || finish_attempt(link)));
  first.vanish();
  link.drop("test");
  (void)link.try_connect(link.next_attempt());
  REQUIRE(second.greet());
  REQUIRE((link.client() != nullptr || finish_attempt(link)));
  second.hang_up();
  link.drop("test");
  // Around again: the first is gone, the second is back.
  (void)link.try_connect(link.next_attempt());
  CHECK_FALSE(finish_attempt(link));
  (void)link.try_connect(link.next_attempt());
  REQUIRE(second.greet());
  CHECK((link.client() != nullptr || finish_attempt(link)));
}

TEST_CASE("one daemon of another version among several is passed over", "[ringlog]") {
  FakeDaemon good;
  ClientOptions bad = good.options();
  bad.name = "not a name";
  Link link({bad, good.options()}, "test");
  (void)link.try_connect(link.next_attempt());
  CHECK_FALSE(finish_attempt(link));
  CHECK_FALSE(link.fatal());
  (void)link.try_connect(link.next_attempt());
  REQUIRE(good.greet());
  CHECK((link.client() != nullptr || finish_attempt(link)));
  Link hopeless({bad, bad}, "test");
  (void)hopeless.try_connect(hopeless.next_attempt());
  (void)finish_attempt(hopeless);
  CHECK_FALSE(hopeless.fatal());
  (void)hopeless.try_connect(hopeless.next_attempt());
  (void)finish_attempt(hopeless);
  CHECK(hopeless.fatal());
}
