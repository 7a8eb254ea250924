// SPDX-License-Identifier: Apache-2.0
//
// PeerTable: which run of a daemon is alive, which of its packets are new, and for how long it
// is left alone.
#include "protocol/ring/peers.hpp"

#include <chrono>
#include <set>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr NodeKey first_run{NodeId{1}, BootId{100}};
constexpr NodeKey second_run{NodeId{1}, BootId{50}};
constexpr Instant start{seconds{1000}};

}  // namespace

TEST_CASE("a new run of a daemon ends the one before [MBR-8]") {
  PeerTable peers;
  CHECK_FALSE(peers.boot_of(NodeId{1}).has_value());
  CHECK(peers.hear(first_run, start));
  CHECK_FALSE(peers.is_dead(first_run));
  CHECK(peers.hear(second_run, start));
  CHECK(peers.is_dead(first_run));
  CHECK_FALSE(peers.is_dead(second_run));
  CHECK_FALSE(peers.hear(first_run, start));
  CHECK(peers.boot_of(NodeId{1}) == second_run.boot);
  CHECK(peers.hear(second_run, start));
}

TEST_CASE("a run given up because of a straggler comes back when the straggler's stays silent") {
  PeerTable peers;
  CHECK(peers.hear(second_run, start));
  CHECK(peers.hear(first_run, start));  // in truth the older one, late
  CHECK_FALSE(peers.hear(second_run, start + seconds{1}));
  CHECK(peers.hear(second_run, start + seconds{3}));
  CHECK(peers.is_dead(first_run));
  CHECK_FALSE(peers.is_dead(second_run));
}

TEST_CASE("a run that was at work in a ring until now counts as heard [MBR-8]") {
  PeerTable peers;
  CHECK(peers.hear(first_run, start));
  CHECK(peers.hear(second_run, start));
  peers.note_at_work(second_run, start + seconds{60});
  peers.note_at_work(first_run, start + seconds{62});  // not the live one
  CHECK_FALSE(peers.hear(first_run, start + seconds{61}));
  CHECK(peers.hear(first_run, start + seconds{62}));
}

TEST_CASE("dead runs are remembered a bounded while") {
  PeerTable peers;
  for (std::uint32_t boot = 1; boot <= 100; ++boot) {
    CHECK(peers.hear(NodeKey{NodeId{1}, BootId{boot}}, start));
  }
  CHECK(peers.is_dead(NodeKey{NodeId{1}, BootId{99}}));
  CHECK_FALSE(peers.is_dead(NodeKey{NodeId{1}, BootId{1}}));
}

TEST_CASE("packets of a run are taken once and in ascending order [MBR-9]") {
  PeerTable peers;
  CHECK_FALSE(peers.is_fresh(first_run, 1));  // never heard
  CHECK(peers.hear(first_run, start));
  CHECK(peers.is_fresh(first_run, 5));
  CHECK_FALSE(peers.is_fresh(first_run, 5));
  CHECK_FALSE(peers.is_fresh(first_run, 4));
  CHECK(peers.is_fresh(first_run, 6));
  CHECK(peers.hear(second_run, start));
  CHECK(peers.is_fresh(second_run, 1));  // a new run counts from the start
  CHECK_FALSE(peers.is_fresh(first_run, 7));
}

TEST_CASE("who keeps falling out is left alone for longer and longer, to a limit [MBR-12]") {
  PeerTable peers;
  Instant now = start;
  Duration expected = milliseconds{500};
  for (int i = 0; i < 8; ++i) {
    peers.back_off(first_run, now, milliseconds{500}, seconds{10});
    CHECK(peers.is_backed_off(first_run, now + expected - milliseconds{1}));
    CHECK_FALSE(peers.is_backed_off(first_run, now + expected));
    now += expected + milliseconds{100};
    expected = std::min<Duration>(expected * 2, seconds{10});
  }
}

TEST_CASE("after a long good time the back-off starts over") {
  PeerTable peers;
  peers.back_off(first_run, start, milliseconds{500}, seconds{10});
  peers.back_off(first_run, start + seconds{1}, milliseconds{500}, seconds{10});
  const Instant much_later = start + seconds{100};
  peers.back_off(first_run, much_later, milliseconds{500}, seconds{10});
  CHECK_FALSE(peers.is_backed_off(first_run, much_later + milliseconds{500}));
}

TEST_CASE("a new run of a daemon starts without back-off [MBR-12]") {
  PeerTable peers;
  peers.back_off(first_run, start, milliseconds{500}, seconds{10});
  CHECK(peers.is_backed_off(first_run, start));
  CHECK_FALSE(peers.is_backed_off(second_run, start));
}

TEST_CASE("probes of one daemon are answered at most once per interval") {
  PeerTable peers;
  CHECK(peers.may_answer(NodeId{1}, Instant{}, milliseconds{10}));
  CHECK_FALSE(peers.may_answer(NodeId{1}, Instant{} + milliseconds{9}, milliseconds{10}));
  CHECK(peers.may_answer(NodeId{2}, Instant{} + milliseconds{9}, milliseconds{10}));
  CHECK(peers.may_answer(NodeId{1}, Instant{} + milliseconds{10}, milliseconds{10}));
}

TEST_CASE("daemons no longer configured are forgotten") {
  PeerTable peers;
  CHECK(peers.hear(first_run, start));
  CHECK(peers.hear(NodeKey{NodeId{2}, BootId{1}}, start));
  peers.keep_only({NodeId{2}});
  CHECK_FALSE(peers.boot_of(NodeId{1}).has_value());
  CHECK(peers.boot_of(NodeId{2}).has_value());
}

}  // namespace ringcast
