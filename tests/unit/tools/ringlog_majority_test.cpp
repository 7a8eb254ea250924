// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: writers that come to a majority, and whether others may have written meanwhile.
#include <catch2/catch.hpp>

#include "tests/unit/tools/writers.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

// Two writers in step, with two lines.
struct TwoWriters {
  TwoWriters() {
    side.add(one);
    side.add(two);
    side.settle();
    side.publish(1, {1, 2});
  }

  // What `two` asks for is ordered in its side.
  void give_up(Side& its_side) {
    two.mind.give_up();
    std::deque<Message> exclude;
    two.collect(exclude);
    REQUIRE(exclude.size() == 1);
    its_side.deliver(exclude.front());
  }

  TestWriter one{writer("one")};
  TestWriter two{writer("two")};
  Side side{1};
};

// Another process, that finds the same file.
void restart(TestWriter& writer) {
  FileState found;
  found.end = writer.mind.end();
  found.position = writer.mind.position();
  found.table = writer.mind.table();
  writer.mind = Reconciler(group, found);
}

}  // namespace

TEST_CASE_METHOD(
    TwoWriters,
    "a merge in two steps, first without the one in step, takes no lines out",
    "[ringlog]") {
  auto minority = side.split({&two}, 2, 3);
  side.publish(1, {3, 5});
  minority.publish(2, {1, 1});
  // The other daemons go over to the minority, and `one` is without them for a moment.
  auto alone = side.split({&one}, 4, 5);
  minority.reconfigure(6, {"a", "b"}, {});
  minority.publish(1, {6, 6});
  CHECK(two.mind.is_unsure());
  CHECK(two.mind.missed() == std::set<std::string>{"#one#a"});
  CHECK(two.file == "1:1\n1:2\n");
  CHECK(two.pending.size() == 2);
  SECTION("it comes back") {
    alone.reconfigure(7, {"a", "b", "c"}, {&minority});
    alone.settle();
    REQUIRE(two.mind.target());
    two.fetch_from(one);
    alone.settle();
    alone.publish(1, {7, 7});
    CHECK(one.mind.is_live());
    CHECK(two.mind.is_live());
    CHECK_FALSE(two.mind.is_unsure());
    CHECK(one.file == "1:1\n1:2\n1:3\n1:4\n1:5\n1:7\n");
    CHECK(two.file == one.file);
    CHECK(two.mind.segments() == 2);
    CHECK(two.mind.segment_to_offer());
  }
  SECTION("it comes back, and was killed and started") {
    alone.remove(one);
    auto again = writer("one");
    again.mind = Reconciler(group, FileState{});
    alone.add(again);
    REQUIRE(again.mind.is_live());
    alone.reconfigure(7, {"a", "b", "c"}, {&minority});
    alone.settle();
    // What it has counts, in step or not; here it has nothing.
    CHECK(two.mind.is_live());
    CHECK_FALSE(two.mind.is_unsure());
    CHECK(two.file == "1:1\n1:2\n");
  }
  SECTION("another one, that knows no more, is in doubt too") {
    auto three = writer("three");
    minority.add(three);
    minority.settle();
    REQUIRE(three.mind.target());
    three.fetch_from(two);
    minority.settle();
    minority.publish(1, {7, 7});
    CHECK(three.mind.is_unsure());
    CHECK(three.mind.missed() == two.mind.missed());
    CHECK(two.mind.is_unsure());
    CHECK(three.file == two.file);
    CHECK(three.pending.size() == 1);
  }
  SECTION("the majority goes before it comes back") {
    minority.reconfigure(7, {"b"}, {});
    CHECK_FALSE(two.mind.is_unsure());
    two.mind.give_up();
    minority.reconfigure(8, {"a", "b"}, {});
    minority.publish(1, {7, 7});
    CHECK(two.mind.is_unsure());
    CHECK(two.mind.missed() == std::set<std::string>{"#one#a"});
    CHECK(two.file == "1:1\n1:2\n");
  }
  SECTION("it does not come back") {
    give_up(minority);
    CHECK(two.mind.is_live());
    CHECK_FALSE(two.mind.is_unsure());
    minority.publish(1, {7, 7});
    CHECK(two.file == "1:1\n1:2\n1:7\n");
    minority.settle();
    CHECK(two.mind.segment_to_offer());
  }
}

TEST_CASE_METHOD(
    TwoWriters,
    "of two that were cut off the longer file goes on, whoever was alone before",
    "[ringlog]") {
  side.remove(one);
  side.publish(1, {3, 4});
  side.reconfigure(2, {"b"}, {});
  // `one` is started anew while its daemon is alone.
  restart(one);
  Side other(3, {"a"});
  other.add(one);
  REQUIRE(one.mind.is_live());
  side.reconfigure(4, {"a", "b"}, {&other});
  side.settle();
  CHECK(two.mind.is_live());
  REQUIRE(one.mind.target());
  one.fetch_from(two);
  CHECK(one.file == two.file);
  CHECK(two.mind.counters().cut_lines == 0);
}

TEST_CASE_METHOD(
    TwoWriters,
    "a writer that comes back after it was given up is a member like others",
    "[ringlog]") {
  auto minority = side.split({&two}, 2, 3);
  auto alone = side.split({&one}, 4, 5);
  minority.reconfigure(6, {"a", "b"}, {});
  minority.publish(1, {3, 3});
  REQUIRE(two.mind.is_unsure());
  give_up(minority);
  minority.publish(1, {4, 4});
  CHECK(two.file == "1:1\n1:2\n1:4\n");
  minority.reconfigure(7, {"a", "b", "c"}, {&alone});
  minority.settle();
  CHECK(two.mind.is_live());
  REQUIRE(one.mind.target());
  one.fetch_from(two);
  CHECK(one.mind.is_live());
  CHECK(one.file == two.file);
  CHECK_FALSE(one.mind.needs_restart());
  CHECK_FALSE(two.mind.needs_restart());
}

TEST_CASE_METHOD(
    TwoWriters, "writers under new names are not taken for others that are missing", "[ringlog]") {
  side.remove(one);
  side.remove(two);
  one.name = MemberName{"c7", "a"};
  two.name = MemberName{"c8", "a"};
  Side next(2);
  next.add(one);
  CHECK(one.mind.is_unsure());
  CHECK_FALSE(one.mind.missed().empty());
  next.add(two);
  next.settle();
  CHECK(one.mind.is_live());
  CHECK(two.mind.is_live());
  CHECK_FALSE(one.mind.is_unsure());
  CHECK_FALSE(two.mind.is_unsure());
  next.publish(1, {3, 3});
  CHECK(one.file == "1:1\n1:2\n1:3\n");
  CHECK(two.file == one.file);
}

TEST_CASE("who started without a majority marks what it missed once there is one", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 2});
  side.remove(one);
  restart(one);
  Side later(2, {"a"});
  later.add(one);
  later.reconfigure(3, {"a", "b"}, {});
  later.publish(1, {5, 5});
  later.settle();
  CHECK(count_of(one.file, "\"ranges\":[[3,4]]") == 1);
}

TEST_CASE_METHOD(
    TwoWriters, "who was with a majority all the time waits for nobody that is gone", "[ringlog]") {
  (void)side.split({&two}, 2, 3);
  side.publish(1, {3, 3});
  CHECK_FALSE(one.mind.is_unsure());
  // The other one stays away; a time without a majority changes nothing.
  side.reconfigure(4, {"b"}, {});
  side.reconfigure(5, {"a", "b"}, {});
  side.publish(1, {4, 4});
  CHECK_FALSE(one.mind.is_unsure());
  CHECK(one.file == "1:1\n1:2\n1:3\n1:4\n");
}
