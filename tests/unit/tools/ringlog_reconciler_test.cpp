// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: several writers under one order, with joins, kills, partitions and merges.
// Their files are compared line by line; nothing here touches a disk or a socket.
#include <deque>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "tools/ringlog-write/reconciler.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

const std::string group = "weblogs";

Producer producer(std::uint8_t number) {
  Producer made;
  made.id.bytes[0] = number;
  made.name = "p" + std::to_string(number);
  return made;
}

Configuration configuration(std::uint64_t seq, std::vector<std::string> daemons) {
  return Configuration{ConfigurationId{seq, "a", 1}, std::move(daemons), {"a", "b", "c"}};
}

std::string line_text(std::uint8_t from, std::uint64_t seq) {
  return std::to_string(from) + ":" + std::to_string(seq);
}

Message record_message(std::uint64_t ring, std::uint8_t from, Range range) {
  Lines lines;
  for (auto seq = range.first; seq <= range.last; ++seq) {
    lines.lines.push_back(line_text(from, seq));
  }
  Message message;
  message.position.configuration = ConfigurationId{ring, "a", 1};
  message.groups = {group};
  message.service = Service::safe;
  message.type = record_type;
  message.payload = encode(Record{producer(from), range.first, std::move(lines)});
  return message;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++found;
  }
  return found;
}

struct TestWriter {
  MemberName name;
  Reconciler mind{group, Table{}, 0};
  std::string file;
  std::size_t table_bytes_max{std::size_t{1} << 20U};
  std::size_t tables{0};  // messages with tables, sent
  std::vector<PendingRecord> pending;
  std::vector<std::string> reports;

  void collect(std::deque<Message>& out) {
    auto output = mind.take();
    file += output.data;
    pending.insert(pending.end(), output.pending.begin(), output.pending.end());
    reports.insert(reports.end(), output.reports.begin(), output.reports.end());
    tables += output.tables.size();
    for (auto& table : output.tables) {
      REQUIRE(table.size() <= table_bytes_max);
      Message message;
      message.sender = name;
      message.groups = {writers_group(group)};
      message.service = Service::safe;
      message.type = table_type;
      message.payload = std::move(table);
      out.push_back(std::move(message));
    }
  }
};

// One side of a network: who is in it sees the same events in the same order.
class Side {
 public:
  explicit Side(std::uint64_t ring, std::vector<std::string> daemons = {"a", "b", "c"})
      : ring_(ring), daemons_(std::move(daemons)) {}

  void add(TestWriter& writer) { start(writer), join_writers(writer); }
  void start(TestWriter& writer) {
    writer.mind.on_session(writer.name, writer.table_bytes_max);
    writer.mind.on_event(configuration(ring_, daemons_));
    starting_.push_back(&writer);
    View view;
    view.group = group;
    view.id = "g" + std::to_string(++views_);
    view.members = view.who = view.with_me = {writer.name};
    writer.mind.on_event(view);
    REQUIRE(writer.mind.in_group());
  }
  void join_writers(TestWriter& writer) {
    std::erase(starting_, &writer);
    const auto before = names();
    members_.push_back(&writer);
    for (auto* member : members_) {
      View view = writers_view(Cause::join);
      view.who = {writer.name};
      view.with_me = member == &writer ? std::vector<MemberName>{writer.name} : before;
      member->mind.on_event(view);
      member->collect(in_flight_);
    }
    ++views_;
  }
  void remove(TestWriter& writer) {
    std::erase(members_, &writer);
    std::erase_if(
        in_flight_, [&](const Message& message) { return message.sender == writer.name; });
    writer.mind.on_session_end();
    std::deque<Message> nowhere;
    writer.collect(nowhere);
    for (auto* member : members_) {
      View view = writers_view(Cause::disconnect);
      view.who = {writer.name};
      view.with_me = names();
      member->mind.on_event(view);
      member->collect(in_flight_);
    }
    ++views_;
  }
  void publish(std::uint8_t from, Range range, bool transitional = false) {
    auto message = record_message(ring_, from, range);
    message.transitional = transitional;
    deliver(message);
  }
  // Delivers the writers' tables that are under way, or so many of them.
  void settle(std::size_t count = std::numeric_limits<std::size_t>::max()) {
    for (; count > 0 && !in_flight_.empty(); --count) {
      const auto message = in_flight_.front();
      in_flight_.pop_front();
      deliver(message);
    }
  }
  // The network changes: those in `with` come along from other sides.
  void reconfigure(
      std::uint64_t ring, const std::vector<std::string>& daemons, std::vector<Side*> with) {
    ring_ = ring;
    daemons_ = daemons;
    std::map<TestWriter*, std::vector<MemberName>> came_with;
    for (auto* member : members_) {
      came_with[member] = names();
    }
    for (auto* side : with) {
      for (auto* member : side->members_) {
        came_with[member] = side->names();
      }
      in_flight_.insert(in_flight_.end(), side->in_flight_.begin(), side->in_flight_.end());
      members_.insert(members_.end(), side->members_.begin(), side->members_.end());
      side->members_.clear();
      side->in_flight_.clear();
    }
    ++views_;
    for (auto* member : members_) {
      member->mind.on_event(configuration(ring_, daemons_));
      View view = writers_view(Cause::network);
      view.with_me = came_with[member];
      if (view.with_me.size() != view.members.size()) member->mind.on_event(view);
      member->collect(in_flight_);
    }
  }
  // Those on the other side go; the ones who stay see them gone.
  Side split(const std::vector<TestWriter*>& gone, std::uint64_t ring, std::uint64_t their_ring) {
    Side other(their_ring, {"c"});
    other.views_ = views_ + 100;
    for (auto* writer : gone) {
      std::erase(members_, writer);
      other.members_.push_back(writer);
    }
    daemons_ = {"a", "b"};
    ring_ = ring;
    for (auto* side : {this, &other}) {
      for (auto* member : side->members_) {
        member->mind.on_event(configuration(side->ring_, side->daemons_));
        View view = side->writers_view(Cause::network);
        view.with_me = side->names();
        member->mind.on_event(view);
        member->collect(side->in_flight_);
      }
    }
    return other;
  }

 private:
  void deliver(const Message& message) {
    for (auto* writer : starting_) {
      if (message.type == record_type) writer->mind.on_event(message);
      writer->collect(in_flight_);
    }
    for (auto* member : members_) {
      member->mind.on_event(message);
      member->collect(in_flight_);
    }
  }
  [[nodiscard]] std::vector<MemberName> names() const {
    std::vector<MemberName> made;
    for (const auto* member : members_) {
      made.push_back(member->name);
    }
    return made;
  }
  [[nodiscard]] View writers_view(Cause cause) const {
    View view;
    view.group = writers_group(group);
    view.id = std::to_string(ring_) + "/" + std::to_string(views_);
    view.cause = cause;
    view.members = names();
    return view;
  }

  std::uint64_t ring_;
  std::vector<std::string> daemons_;
  std::uint64_t views_{0};
  std::vector<TestWriter*> members_;
  std::vector<TestWriter*> starting_;  // in the group, not yet in the writers' group
  std::deque<Message> in_flight_;
};

TestWriter writer(const std::string& name) {
  TestWriter made;
  made.name = MemberName{name, "a"};
  return made;
}

}  // namespace

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
