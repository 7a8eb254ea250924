// SPDX-License-Identifier: Apache-2.0
//
// Lines of a group are counted once, whoever sends them again.
#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/ring_lines.hpp"
#include "tools/ringlog-write/writer_message.hpp"

using namespace ringcast;
using namespace ringcast::monitor;

namespace {

constexpr Instant start{std::chrono::hours(1)};

ringlog::ProducerId producer(std::uint32_t number) {
  ringlog::ProducerId id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.bytes.at(i) = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return id;
}

Message message(const ringlog::Record& record) {
  Message made;
  made.sender = MemberName{"pub", "web1"};
  made.type = ringlog::record_type;
  made.payload = encode(record);
  return made;
}

Message lines(std::uint32_t from, std::uint64_t first, std::size_t count) {
  ringlog::Lines body;
  for (std::size_t i = 0; i < count; ++i) {
    body.lines.push_back(R"({"status":200,"bytes":)" + std::to_string(first + i) + "}");
  }
  return message({{producer(from), "log"}, first, std::move(body)});
}

struct Reader {
  Analysis analysis{std::move(LineParser::make({})).value(), AnalysisOptions{}};
  RingLines lines;

  void take(const Message& message) { lines.take(message, analysis, start); }
  [[nodiscard]] const ServerFigures& all() const { return analysis.figures().all(); }
};

}  // namespace

TEST_CASE("lines that come again are counted once", "[monitor]") {
  Reader reader;
  reader.take(lines(1, 1, 10));
  reader.take(lines(1, 6, 10));
  reader.take(lines(1, 1, 15));
  reader.take(lines(2, 1, 5));
  CHECK(reader.all().total.requests == 20);
  CHECK(reader.all().total.bytes == 15 * 16 / 2 + 15);
  CHECK(reader.lines.counters().duplicates == 20);
  CHECK(reader.lines.counters().records == 4);
  CHECK(reader.analysis.figures().servers().all().begin()->first == "web1");
}

TEST_CASE("lines that did not come are known by their numbers", "[monitor]") {
  Reader reader;
  reader.take(lines(1, 100, 10));  // what was before is none of ours
  CHECK(reader.lines.counters().missed == 0);
  reader.take(lines(1, 115, 5));
  reader.take(lines(1, 130, 5));
  CHECK(reader.lines.counters().missed == 15);
  reader.take(lines(1, 105, 12));
  CHECK(reader.lines.counters().missed == 10);
  reader.take(lines(1, 105, 30));
  CHECK(reader.lines.counters().missed == 0);
  CHECK(reader.all().total.requests == 35);
  reader.take(lines(1, 1, 99));
  CHECK(reader.lines.counters().missed == 0);
}

TEST_CASE("lines that were set aside elsewhere count when they are merged", "[monitor]") {
  Reader reader;
  reader.take(lines(1, 1, 5));
  reader.take(lines(1, 16, 5));
  CHECK(reader.lines.counters().missed == 10);
  ringlog::Offer offer{{7, "web2", 1}, {}};
  for (const auto& [first, count] : {std::pair{4U, 12U}, {4U, 12U}}) {
    auto record = ringlog::decode_record(lines(1, first, count).payload);
    REQUIRE(record);
    offer.records.push_back({std::move(*record), "web2"});
  }
  Message merged;
  merged.sender = MemberName{"w", "db2"};
  merged.type = ringlog::writer_type;
  merged.payload = encode(ringlog::WriterMessage(offer));
  reader.take(merged);
  CHECK(reader.all().total.requests == 20);
  CHECK(reader.lines.counters().missed == 0);
  CHECK(reader.lines.counters().foreign == 0);
  CHECK(reader.analysis.figures().servers().all().contains("web2"));  // not the writer's
  CHECK_FALSE(reader.analysis.figures().servers().all().contains("db2"));
  merged.payload = encode(ringlog::WriterMessage(ringlog::Announce{}));
  reader.take(merged);
  merged.payload.pop_back();
  reader.take(merged);
  CHECK(reader.lines.counters().malformed == 1);
  CHECK(reader.all().total.requests == 20);
}

TEST_CASE("what a publisher dropped counts as lost, once", "[monitor]") {
  Reader reader;
  for (int i = 0; i < 2; ++i) {
    reader.take(message({{producer(1), "log"}, 1, ringlog::Dropped{70, 7000}}));
    reader.take(message({{producer(1), "log"}, 2, ringlog::TooLong{9000000}}));
    reader.take(message({{producer(1), "log"}, 0, ringlog::Settle{}}));
  }
  CHECK(reader.all().lost == 71);
  CHECK(reader.all().lines == 0);
}

TEST_CASE("other messages of the group are counted and read over", "[monitor]") {
  Reader reader;
  auto other = lines(1, 1, 1);
  other.type = 0;
  reader.take(other);
  auto damaged = lines(1, 1, 1);
  damaged.payload.pop_back();
  reader.take(damaged);
  CHECK(reader.lines.counters().foreign == 1);
  CHECK(reader.lines.counters().malformed == 1);
  CHECK(reader.all().lines == 0);
}

TEST_CASE("producers without end and gaps without end do not fill the memory", "[monitor]") {
  Reader reader;
  for (std::uint32_t i = 0; i < RingLines::producers_max + 5; ++i) {
    reader.take(lines(i, 1, 1));
  }
  reader.take(lines(RingLines::producers_max, 1, 1));
  CHECK(reader.lines.counters().duplicates == 1);
  reader.take(lines(0, 1, 1));  // forgotten by now
  CHECK(reader.lines.counters().duplicates == 1);
  for (std::uint64_t seq = 1; seq < 20000; seq += 2) {
    reader.take(lines(7000, seq, 1));
  }
  // The first of these gaps has been given up.
  reader.take(lines(7000, 2, 1));
  CHECK(reader.lines.counters().duplicates == 3);
}
