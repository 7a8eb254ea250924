// SPDX-License-Identifier: Apache-2.0
//
// Sets of ranges, tables and producer ids: what "each line exactly once" stands on.
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "tools/ringlog/table.hpp"
#include "tools/ringlog/table_message.hpp"

using namespace ringcast::ringlog;

namespace {

Producer producer(std::uint8_t number) {
  Producer made;
  made.id.bytes[0] = number;
  made.name = "p" + std::to_string(number);
  return made;
}

}  // namespace

TEST_CASE("touching ranges become one, however they arrive", "[ringlog]") {
  RangeSet set;
  CHECK(set.add({5, 6}) == std::vector<Range>{{5, 6}});
  CHECK(set.add({1, 2}) == std::vector<Range>{{1, 2}});
  CHECK(set.add({3, 4}) == std::vector<Range>{{3, 4}});
  CHECK(set.ranges() == std::vector<Range>{{1, 6}});
  CHECK(set.add({2, 5}).empty());
  CHECK(set.add({0, 9}) == std::vector<Range>{{0, 0}, {7, 9}});
  CHECK(set.count() == 10);
}

TEST_CASE("the largest sequence number is one like any other", "[ringlog]") {
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  RangeSet set;
  CHECK(set.add({last, last}).size() == 1);
  CHECK(set.add({last - 1, last}) == std::vector<Range>{{last - 1, last - 1}});
  CHECK(set.contains(last));
  CHECK(set.ranges().size() == 1);
}

TEST_CASE("a range set agrees with a plain set of numbers", "[ringlog]") {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::uint64_t> start(0, 60);
  std::uniform_int_distribution<std::uint64_t> length(0, 9);
  for (int round = 0; round < 200; ++round) {
    RangeSet set;
    std::set<std::uint64_t> plain;
    for (int step = 0; step < 12; ++step) {
      const auto first = start(random);
      const Range range{first, first + length(random)};
      std::set<std::uint64_t> expected;
      for (auto value = range.first; value <= range.last; ++value) {
        if (plain.insert(value).second) expected.insert(value);
      }
      std::set<std::uint64_t> added;
      for (const auto& part : set.add(range)) {
        for (auto value = part.first; value <= part.last; ++value) {
          added.insert(value);
        }
      }
      REQUIRE(added == expected);
      REQUIRE(set.count() == plain.size());
    }
    const auto ranges = set.ranges();
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      REQUIRE(ranges[i - 1].last + 1 < ranges[i].first);
    }
  }
}

TEST_CASE("a table minus another is what the other misses", "[ringlog]") {
  Table full;
  (void)full.add(producer(1), {1, 10});
  (void)full.add(producer(2), {1, 5});
  Table part;
  (void)part.add(producer(1), {3, 4});
  const auto missing = full.minus(part);
  CHECK(missing.count() == 13);
  CHECK_FALSE(missing.missing_from(producer(1).id, {3, 3}).empty());
  CHECK(missing.missing_from(producer(2).id, {5, 5}).empty());
  part.merge(missing);
  CHECK(part == full);
  CHECK(full.minus(part).empty());
}

TEST_CASE(
    "tables with the same lines are equal, whatever their producers are called", "[ringlog]") {
  auto renamed = producer(1);
  renamed.name = "another";
  Table one;
  Table two;
  (void)one.add(producer(1), {1, 3});
  (void)two.add(renamed, {1, 3});
  CHECK(one == two);
  (void)two.add(producer(1), {4, 4});
  CHECK_FALSE(one == two);
  CHECK(two.entries().begin()->second.name == "another");
}

TEST_CASE("producer ids read back as they were written", "[ringlog]") {
  const auto id = random_producer();
  CHECK(parse_producer(to_string(id)) == id);
  CHECK(random_producer() != id);
  CHECK_FALSE(parse_producer("00"));
  CHECK_FALSE(parse_producer("0123456789abcdef0123456789abcdeg"));
}

TEST_CASE("a writers' table survives its message and no truncation passes", "[ringlog]") {
  TableMessage message;
  message.sync = "17.web1.5f0c9a31/3";
  message.is_live = true;
  message.missed = {"#w#web1", "#w#web2"};
  message.formerly = {"#c3#web3"};
  message.end = FilePoint{1234, 56, 99};
  message.position = ringcast::Position{ringcast::ConfigurationId{17, "web1", 0x5f0c9a31}, 7, 3};
  (void)message.gaps.add(producer(3), {5, 6});
  (void)message.table.add(producer(1), {1, 10});
  (void)message.table.add(producer(1), {20, 21});
  (void)message.table.add(producer(2), {1, 1});
  const auto bytes = encode(message);
  const auto decoded = decode_table(bytes);
  REQUIRE(decoded);
  CHECK(*decoded == message);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(decode_table(std::span(bytes).first(length)));
  }
}

TEST_CASE("a long table is the sum of its parts, none of them too long", "[ringlog]") {
  TableMessage message;
  message.sync = "17.web1.5f0c9a31/3";
  message.is_live = true;
  message.end = FilePoint{1234, 56, 99};
  message.position = ringcast::Position{ringcast::ConfigurationId{17, "web1", 0x5f0c9a31}, 7, 3};
  (void)message.gaps.add(producer(3), {5, 6});
  for (std::uint64_t first = 1; first < 400; first += 10) {
    (void)message.table.add(producer(1), {first, first + 5});
  }
  for (std::uint8_t number = 2; number < 50; ++number) {
    (void)message.table.add(producer(number), {1, number});
  }
  for (std::size_t bytes_max = 160; bytes_max < 4000; bytes_max += 7) {
    const auto parts = encode_in_parts(message, bytes_max);
    TableMessage sum = message;
    sum.table = Table{};
    sum.gaps = Table{};
    std::uint32_t number = 0;
    for (const auto& bytes : parts) {
      ++number;
      REQUIRE(bytes.size() <= bytes_max);
      const auto part = decode_table(bytes);
      REQUIRE(part);
      CHECK(part->parts == parts.size());
      CHECK(part->part == number);
      CHECK(part->sync == message.sync);
      CHECK(part->end == message.end);
      CHECK(part->position == message.position);
      sum.table.merge(part->table);
      sum.gaps.merge(part->gaps);
    }
    REQUIRE(sum.table == message.table);
    REQUIRE(sum.gaps == message.gaps);
  }
  CHECK(encode_in_parts(message, std::size_t{1} << 20U).size() == 2);
  CHECK(encode_in_parts(TableMessage{}, 0).size() == 1);
}

TEST_CASE("a part that is not one of its parts is malformed", "[ringlog]") {
  TableMessage message;
  message.part = 3;
  message.parts = 2;
  CHECK_FALSE(decode_table(encode(message)));
  message.part = 0;
  CHECK_FALSE(decode_table(encode(message)));
}

TEST_CASE("numbers that are taken out of a set are not in it any more", "[ringlog]") {
  RangeSet set;
  (void)set.add({1, 10});
  (void)set.add({20, 30});
  set.remove({5, 5});
  CHECK(set.ranges() == std::vector<Range>{{1, 4}, {6, 10}, {20, 30}});
  set.remove({9, 22});
  CHECK(set.ranges() == std::vector<Range>{{1, 4}, {6, 8}, {23, 30}});
  set.remove({11, 12});
  set.remove({1, 100});
  CHECK(set.empty());
}
