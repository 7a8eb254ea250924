// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: several writers under one order, with joins, kills, partitions and merges.
// Their files are compared line by line; nothing here touches a disk or a socket.
#include <catch2/catch.hpp>

#include "tests/unit/tools/writers.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

TEST_CASE("the first writer writes at once and drops what comes again", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  REQUIRE(one.mind.is_live());
  side.publish(1, {1, 2});
  side.publish(1, {2, 4});
  side.publish(1, {1, 4});
  CHECK(one.file == "1:1\n1:2\n1:3\n1:4\n");
  CHECK(one.mind.counters().duplicates == 5);
}

TEST_CASE("writers that start together have equal files without markers", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.start(one);
  side.start(two);
  side.publish(1, {1, 3});
  side.join_writers(one);
  side.publish(2, {1, 1});
  side.join_writers(two);
  side.publish(1, {4, 4});
  side.settle();
  side.publish(2, {2, 2});
  REQUIRE(two.mind.is_live());
  CHECK(one.file == two.file);
  CHECK(count_of(one.file, "\n") == 6);
  CHECK(count_of(one.file, "#") == 0);
  CHECK(one.mind.chain() == two.mind.chain());
}

TEST_CASE("a newcomer marks exactly what it missed and goes on like the others", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 5});
  side.publish(2, {1, 2});
  side.add(two);
  CHECK_FALSE(two.mind.is_live());
  side.publish(1, {5, 6});  // before the table came; 5 was before the join and comes again
  side.settle();
  side.publish(1, {7, 7});
  CHECK(
      two.file ==
      "#ringlog-gap {\"lines\":7,\"missing\":["
      "{\"producer\":\"01000000000000000000000000000000\",\"name\":\"p1\",\"ranges\":[[1,5]]},"
      "{\"producer\":\"02000000000000000000000000000000\",\"name\":\"p2\",\"ranges\":[[1,2]]}]}\n"
      "1:6\n1:7\n");
  CHECK(one.mind.table() == two.mind.table());
  side.publish(2, {1, 2});
  CHECK(count_of(two.file, "2:1") == 0);
}

TEST_CASE("a writer that comes back without having missed anything writes no marker", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.add(two);
  side.settle();
  side.publish(1, {1, 3});
  side.remove(two);
  side.add(two);
  side.settle();
  side.publish(1, {4, 4});
  CHECK(one.file == two.file);
  CHECK(one.reports.empty());
  CHECK(two.reports.empty());
}

TEST_CASE("what is sent again to a newcomer that waits stands in the same order", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 5});
  side.add(two);
  side.publish(2, {1, 2});
  side.publish(1, {1, 6});  // its publisher was killed and begins again
  side.settle();
  CHECK(one.file == "1:1\n1:2\n1:3\n1:4\n1:5\n2:1\n2:2\n1:6\n");
  CHECK(count_of(two.file, "[[1,5]]") == 1);
  CHECK(two.file.ends_with("}\n2:1\n2:2\n1:6\n"));
  CHECK(two.mind.table() == one.mind.table());
}

TEST_CASE("what is sent again in a merge stands in the same order", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.add(two);
  side.add(three);
  side.settle();
  auto minority = side.split({&three}, 2, 3);
  side.publish(1, {1, 3});
  side.reconfigure(4, {"a", "b", "c"}, {&minority});
  side.publish(2, {1, 1});
  side.publish(1, {1, 4});
  side.settle();
  CHECK(one.file == "1:1\n1:2\n1:3\n2:1\n1:4\n");
  CHECK(one.file == two.file);
  CHECK(three.file.ends_with("}\n2:1\n1:4\n"));
  CHECK(three.mind.table() == one.mind.table());
}

TEST_CASE("who has waited long enough goes on, and marks its gap when it can", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 2});
  side.add(two);
  side.publish(1, {3, 3});
  CHECK_FALSE(two.mind.is_live());
  two.mind.give_up();
  CHECK(two.mind.is_live());
  side.publish(1, {4, 4});
  CHECK(two.file == "1:3\n1:4\n");
  side.settle();  // the table of one comes after all
  CHECK(count_of(two.file, "[[1,2]]") == 1);
  side.publish(1, {1, 5});
  CHECK(two.file.ends_with("}\n1:5\n"));
  CHECK(two.mind.table() == one.mind.table());
}

TEST_CASE("who goes on without an answer tells what it has", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(two);
  side.publish(2, {1, 2});
  side.remove(two);
  side.add(one);
  side.add(two);
  two.mind.give_up();
  side.publish(1, {1, 1});
  side.settle();
  CHECK(count_of(one.file, "[[1,2]]") == 1);
  CHECK(one.mind.table() == two.mind.table());
}

TEST_CASE("what is offered again where it was set aside is set aside once", "[ringlog]") {
  auto one = writer("one");
  Side side(1, {"a"});
  side.add(one);
  side.publish(1, {1, 2});
  side.publish(1, {1, 2});
  CHECK(one.pending.size() == 1);
  CHECK(one.mind.counters().duplicates == 2);
  side.reconfigure(2, {"b"}, {});
  side.publish(1, {1, 2});
  CHECK(one.pending.size() == 2);
}

TEST_CASE("what only the newcomer has is a gap of those who were there", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 3});
  side.remove(one);
  side.add(two);
  side.add(three);
  side.settle();
  side.publish(1, {4, 5});
  side.add(one);
  side.settle();
  side.publish(1, {2, 6});
  CHECK(two.file == three.file);
  CHECK(count_of(two.file, "#ringlog-gap") == 1);
  CHECK(count_of(two.file, "[[1,3]]") == 1);
  CHECK(count_of(one.file, "[[4,5]]") == 1);
  CHECK(one.mind.table() == two.mind.table());
  CHECK(count_of(two.file, "1:6") == 1);
}

TEST_CASE(
    "a table longer than a message comes in parts and counts when all are there", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  for (auto* member : {&one, &two, &three}) {
    member->table_bytes_max = 90;
  }
  Side side(1);
  side.add(one);
  for (std::uint8_t from = 1; from <= 5; ++from) {
    side.publish(from, {1, from});
  }
  side.add(two);
  side.publish(1, {2, 3});
  CHECK(one.tables == 5);
  side.settle(4);
  CHECK_FALSE(two.mind.is_live());
  side.publish(2, {3, 3});
  side.settle();
  REQUIRE(two.mind.is_live());
  CHECK(two.mind.table() == one.mind.table());
  CHECK(count_of(two.file, "#ringlog-gap {\"lines\":15,") == 1);
  CHECK(two.file.ends_with("}\n1:2\n1:3\n2:3\n"));

  // Who answers dies in between: the other one's table is as good.
  side.add(three);
  side.settle(3);
  side.remove(one);
  side.settle();
  CHECK(three.mind.is_live());
  CHECK(three.mind.table() == two.mind.table());
}

TEST_CASE("news longer than a message comes in parts, each a gap of its own", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  one.table_bytes_max = 70;
  Side side(1);
  side.add(one);
  for (std::uint8_t from = 1; from <= 3; ++from) {
    side.publish(from, {1, from});
  }
  side.remove(one);
  side.add(two);
  side.add(one);
  side.settle();
  CHECK(count_of(two.file, "#ringlog-gap") == 3);
  CHECK(two.mind.table() == one.mind.table());
}

TEST_CASE("two that join at the same time both get a table", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 3});
  side.add(two);
  side.add(three);
  side.publish(1, {4, 4});
  side.settle();
  CHECK(two.mind.is_live());
  CHECK(three.mind.is_live());
  CHECK(two.file == three.file);
  CHECK(one.mind.table() == three.mind.table());
}

TEST_CASE(
    "the one who would have sent the table dies: the next goes on from its own", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 3});
  side.add(two);
  side.add(three);
  side.publish(1, {4, 4});
  side.remove(one);
  side.settle();
  CHECK(two.mind.is_live());
  CHECK(three.mind.is_live());
  side.publish(1, {5, 5});
  CHECK(two.file == "1:4\n1:5\n");
  CHECK(two.file == three.file);
}

TEST_CASE("only what is safe in a regular majority reaches the file", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1}, true);
  auto agreed = record_message(1, 1, {2, 2});
  agreed.service = Service::agreed;
  one.mind.on_event(agreed);
  one.mind.on_event(configuration(2, {"a"}));
  one.mind.on_event(record_message(2, 1, {3, 3}));
  one.mind.on_event(configuration(3, {"a", "b"}));
  one.mind.on_event(record_message(2, 1, {4, 4}));  // of a configuration that is over
  one.mind.on_event(record_message(3, 1, {1, 1}));
  std::deque<Message> out;
  one.collect(out);
  CHECK(one.file == "1:1\n");
  REQUIRE(one.pending.size() == 4);
  CHECK(count_of(one.pending[0].text, "\"why\":\"transitional\"") == 1);
  CHECK(count_of(one.pending[1].text, "\"why\":\"not safe\"") == 1);
  CHECK(count_of(one.pending[2].text, "\"why\":\"no majority\"") == 1);
  CHECK(to_string(one.pending[2].configuration) == "2.a.00000001");
  CHECK(one.mind.counters().pending_lines == 4);
}

TEST_CASE("after a partition each side's gap is marked and the files go on alike", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.add(two);
  side.add(three);
  side.settle();
  side.publish(1, {1, 2});
  auto minority = side.split({&three}, 2, 3);
  side.publish(1, {3, 5});
  minority.publish(2, {1, 1});
  CHECK(three.pending.size() == 1);
  side.reconfigure(4, {"a", "b", "c"}, {&minority});
  side.publish(1, {6, 6});
  CHECK_FALSE(one.mind.is_live());
  side.settle();
  side.publish(2, {1, 1});
  CHECK(one.mind.is_live());
  CHECK(one.file == two.file);
  CHECK(count_of(one.file, "#") == 0);
  CHECK(count_of(three.file, "[[3,5]]") == 1);
  CHECK(one.mind.table() == three.mind.table());
  CHECK(three.file.substr(three.file.find("1:6")) == one.file.substr(one.file.find("1:6")));
}

TEST_CASE("a merge in which one side's writer dies ends with those who are left", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.add(two);
  side.add(three);
  side.settle();
  auto minority = side.split({&three}, 2, 3);
  side.publish(1, {1, 1});
  side.reconfigure(4, {"a", "b", "c"}, {&minority});
  side.remove(three);
  side.settle();
  side.publish(1, {2, 2});
  CHECK(one.mind.is_live());
  CHECK(one.file == "1:1\n1:2\n");
  CHECK(one.file == two.file);
}

TEST_CASE(
    "what a waiting writer holds when its session ends is written, not forgotten", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1});
  side.add(two);
  side.publish(1, {2, 3});
  side.remove(two);
  CHECK(two.file == "1:2\n1:3\n");
  side.add(two);
  side.settle();
  CHECK(count_of(two.file, "[[1,1]]") == 1);
  CHECK(two.mind.table() == one.mind.table());
}

TEST_CASE("what came while no writer was there is told, producer by producer", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 5});
  side.publish(2, {1, 5});
  side.publish(3, {1, 5});
  CHECK(one.reports.empty());
  side.remove(one);
  side.publish(1, {6, 8});
  side.publish(4, {1, 2});
  side.add(one);
  side.publish(1, {4, 5});  // an old one again tells nothing
  side.publish(1, {9, 9});
  side.publish(1, {12, 12});  // only the first new one is looked at
  side.publish(2, {6, 6});
  side.publish(3, {5, 6});
  side.publish(4, {3, 3});
  REQUIRE(one.reports.size() == 2);
  CHECK(
      one.reports[0].starts_with("lines 6 to 8 of p1 (01000000000000000000000000000000) are not"));
  CHECK(one.reports[1].starts_with("lines 1 to 2 of p4 "));
  side.publish(1, {6, 8});
  CHECK(count_of(one.file, "1:7\n") == 1);
}

TEST_CASE(
    "a writer that is told by another, or begins its file, misses nothing unmarked", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.publish(1, {1, 5});
  side.add(one);
  side.publish(1, {6, 6});
  side.add(two);
  side.settle();
  side.remove(two);
  side.publish(1, {7, 8});
  side.add(two);
  side.settle();
  side.publish(1, {9, 9});
  CHECK(one.reports.empty());
  CHECK(two.reports.size() == 2);
  CHECK(count_of(two.file, "#ringlog-gap") == 2);
}

TEST_CASE("equal lines in another order are reported", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1});
  side.publish(1, {2, 2});
  Side elsewhere(2);
  elsewhere.add(two);
  elsewhere.publish(1, {2, 2});
  elsewhere.publish(1, {1, 1});
  elsewhere.remove(two);
  side.add(two);
  side.settle();
  REQUIRE(two.reports.size() == 1);
  CHECK(count_of(two.reports[0], "not in the same order") == 1);
}

TEST_CASE("drop reports and long lines leave the same marker at every writer", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  auto message = record_message(1, 1, {1, 1});
  message.payload = encode(Record{producer(1), 1, Dropped{3, 300}});
  one.mind.on_event(message);
  one.mind.on_event(message);
  message.payload = encode(Record{producer(1), 2, TooLong{70000}});
  one.mind.on_event(message);
  std::deque<Message> out;
  one.collect(out);
  CHECK(count_of(one.file, "#ringlog-dropped {") == 1);
  CHECK(count_of(one.file, "#ringlog-too-long {") == 1);
  CHECK(one.mind.counters().lost_lines == 4);
}
