// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: several writers under one order, step by step; nothing here touches a disk or a
// socket. What becomes of whole writers under any schedule: ringlog_scribe_test.cpp.
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
  REQUIRE(two.mind.target());
  two.fetch_from(one);
  side.publish(2, {2, 2});
  REQUIRE(two.mind.is_live());
  CHECK(one.file == two.file);
  CHECK(count_of(one.file, "\n") == 6);
  CHECK(count_of(one.file, "#") == 0);
  CHECK(one.mind.end() == two.mind.end());
  CHECK(two.pending.empty());
}

TEST_CASE("a newcomer fetches what it missed and goes on like the others", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 5});
  side.publish(2, {1, 2});
  side.add(two);
  CHECK_FALSE(two.mind.is_live());
  side.publish(1, {5, 6});  // behind the point; 5 was there before and comes again
  side.settle();
  REQUIRE(two.mind.target());
  CHECK(two.mind.target()->holders == std::set<std::string>{"#one#a"});
  side.publish(1, {7, 7});
  two.fetch_from(one);
  CHECK(two.mind.is_live());
  CHECK(two.file == one.file);
  CHECK(one.mind.table() == two.mind.table());
  CHECK(two.mind.counters().fetched_lines == 7);
}

TEST_CASE("a writer that comes back without having missed anything fetches nothing", "[ringlog]") {
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
  CHECK(two.mind.is_live());
  CHECK(one.file == two.file);
  CHECK(two.mind.counters().fetched_lines == 0);
  CHECK(one.reports.empty());
  CHECK(two.reports.empty());
}

TEST_CASE("lines that do not make their chain are not taken", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 3});
  side.add(two);
  side.settle();
  REQUIRE(two.mind.target());
  auto text = one.file;
  text[0] = '7';
  CHECK_FALSE(two.mind.append_fetched(one.entries, text));
  CHECK(two.mind.end() == FilePoint{});
  two.fetch_from(one);
  CHECK(two.file == one.file);
}

TEST_CASE("after a partition the side without a majority follows the other", "[ringlog]") {
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
  CHECK(one.mind.is_live());
  CHECK(two.mind.is_live());
  REQUIRE(three.mind.target());
  three.fetch_from(one);
  CHECK(one.file == two.file);
  CHECK(one.file == three.file);
  CHECK(three.mind.has_segments());
  side.settle();
  CHECK(to_string(*three.mind.segment_to_offer()) == "3.a.00000001");
  CHECK_FALSE(one.mind.segment_to_offer());
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
  side.settle();
  side.publish(1, {1, 1});
  side.reconfigure(4, {"a", "b", "c"}, {&minority});
  side.remove(three);
  side.settle();
  side.publish(1, {2, 2});
  CHECK(one.mind.is_live());
  CHECK(one.file == "1:1\n1:2\n");
  CHECK(one.file == two.file);
}

TEST_CASE("those whom all follow die: the rest agrees anew", "[ringlog]") {
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
  REQUIRE(two.mind.target());
  two.fetch_from(one);
  side.remove(one);
  side.settle();
  CHECK(two.mind.is_live());
  REQUIRE(three.mind.target());
  CHECK(three.mind.target()->holders == std::set<std::string>{"#two#a"});
  three.fetch_from(two);
  CHECK(three.file == two.file);
}

TEST_CASE("what nobody in reach has is marked as a gap, at the same place by all", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  auto three = writer("three");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 3});
  side.add(two);
  side.add(three);
  side.settle();
  REQUIRE(two.mind.target());
  side.remove(one);
  side.settle();
  side.publish(1, {4, 4});
  CHECK(two.mind.is_live());
  CHECK(count_of(two.file, "\"ranges\":[[1,3]]") == 1);
  CHECK(two.file.ends_with("}\n1:4\n"));
  CHECK(two.file == three.file);
  CHECK(two.mind.open_gap_lines() == 3);
  // They come after all.
  side.publish(1, {2, 4});
  CHECK(two.file.ends_with("}\n1:4\n1:2\n1:3\n"));
  CHECK(two.mind.open_gap_lines() == 1);
}

TEST_CASE("who does not answer is left out, and joins again", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 2});
  side.add(two);
  side.drop_from("one");  // it hangs: what it would say is not heard
  two.mind.give_up();
  std::deque<Message> exclude;
  two.collect(exclude);
  REQUIRE(exclude.size() == 1);
  side.deliver(exclude.front());
  CHECK(one.mind.needs_restart());
  CHECK(two.mind.is_live());
  side.publish(1, {3, 3});
  CHECK(two.file == "1:3\n");
}

TEST_CASE("an offer is written by all behind a marker, each line once", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 2});
  const ConfigurationId configuration{7, "c", 1};
  Offer offer{configuration, {}};
  offer.records.push_back({Record{producer(1), 2, Lines{{"1:2", "1:3"}}}});
  offer.records.push_back({Record{producer(2), 1, Lines{{"2:1"}}}});
  offer.records.push_back({Record{producer(3), 1, Dropped{5, 50}}});
  Message message = record_message(1, 1, {1, 1});
  message.groups = {writers_group(group)};
  message.type = writer_type;
  message.payload = encode(WriterMessage(offer));
  side.deliver(message);
  const std::string marker = "#ringlog-merged {\"configuration\":\"7.c.00000001\",\"lines\":3}\n";
  CHECK(one.file.starts_with("1:1\n1:2\n" + marker + "1:3\n2:1\n#ringlog-dropped {"));
  const auto written = one.file;
  side.deliver(message);
  CHECK(one.file == written);
  message.transitional = true;
  message.payload =
      encode(WriterMessage(Offer{configuration, {{Record{producer(4), 1, Lines{{"x"}}}}}}));
  side.deliver(message);
  CHECK(one.file == written);
}

TEST_CASE("what is offered again where it was set aside is set aside once", "[ringlog]") {
  auto one = writer("one");
  Side side(1, {"b"});
  side.add(one);
  side.publish(1, {1, 2});
  side.publish(1, {1, 2});
  CHECK(one.pending.size() == 1);
  CHECK(one.mind.counters().duplicates == 2);
  side.reconfigure(2, {"c"}, {});
  side.publish(1, {1, 2});
  CHECK(one.pending.size() == 2);
}

TEST_CASE(
    "a table longer than a message comes in parts and counts when all are there", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  for (auto* member : {&one, &two}) {
    member->table_bytes_max = 150;
  }
  Side side(1);
  side.add(one);
  for (std::uint8_t from = 1; from <= 5; ++from) {
    side.publish(from, {1, from});
  }
  side.settle();
  one.tables = 0;
  side.add(two);
  CHECK(one.tables > 2);
  side.settle(2);
  CHECK_FALSE(two.mind.target());
  side.settle();
  REQUIRE(two.mind.target());
  two.fetch_from(one);
  CHECK(two.mind.table() == one.mind.table());
}

TEST_CASE("only what is safe in a regular majority reaches the file", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1}, true);
  auto agreed = record_message(1, 1, {2, 2});
  agreed.service = Service::agreed;
  one.mind.on_event(agreed);
  one.mind.on_event(configuration(2, {"b"}));
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

TEST_CASE("a transition between majorities is written at its place, all of it", "[ringlog]") {
  auto one = writer("one");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1});
  side.publish(1, {2, 2}, true);
  Message offer = record_message(1, 1, {1, 1});
  offer.groups = {writers_group(group)};
  offer.type = writer_type;
  offer.transitional = true;
  offer.payload = encode(
      WriterMessage(Offer{ConfigurationId{7, "c", 1}, {{Record{producer(2), 1, Lines{{"2:1"}}}}}}));
  side.deliver(offer);
  CHECK(one.file == "1:1\n");
  one.mind.on_event(configuration(2, {"a", "b"}));
  one.mind.on_event(record_message(2, 1, {3, 3}));
  std::deque<Message> out;
  one.collect(out);
  CHECK(
      one.file ==
      "1:1\n1:2\n#ringlog-merged {\"configuration\":\"7.c.00000001\",\"lines\":1}\n2:1\n1:3\n");
  CHECK(one.pending.empty());
}

TEST_CASE("what a waiting writer holds when its session ends is set aside", "[ringlog]") {
  auto one = writer("one");
  auto two = writer("two");
  Side side(1);
  side.add(one);
  side.publish(1, {1, 1});
  side.add(two);
  side.publish(1, {2, 3});
  side.remove(two);
  CHECK(two.file.empty());
  REQUIRE(two.pending.size() == 1);
  CHECK(count_of(two.pending[0].text, "\"why\":\"not in step\"") == 1);
  CHECK(two.pending[0].text.ends_with("\n1:2\n1:3\n"));
}

TEST_CASE("what came while no writer was there is told and marked", "[ringlog]") {
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
  side.settle();
  side.publish(1, {4, 5});  // an old one again tells nothing
  side.publish(1, {9, 9});
  side.publish(1, {12, 12});  // only the first new one is looked at
  side.publish(2, {6, 6});
  side.publish(3, {5, 6});
  side.publish(4, {3, 3});
  auto two = writer("two");
  side.add(two);
  REQUIRE(one.reports.size() == 2);
  CHECK(
      one.reports[0].starts_with("lines 6 to 8 of p1 (01000000000000000000000000000000) are not"));
  CHECK(one.reports[1].starts_with("lines 1 to 2 of p4 "));
  side.settle();
  CHECK(one.mind.counters().gap_lines == 5);
  CHECK(one.mind.open_gap_lines() == 5);
  CHECK(count_of(one.file, "\"name\":\"p1\",\"ranges\":[[6,8]]") == 1);
  CHECK(count_of(one.file, "\"name\":\"p4\",\"ranges\":[[1,2]]") == 1);
  two.fetch_from(one);
  CHECK(two.file == one.file);
  side.publish(1, {6, 8});
  CHECK(count_of(one.file, "1:7\n") == 1);
  CHECK(one.mind.open_gap_lines() == 2);
  CHECK(two.file == one.file);
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
