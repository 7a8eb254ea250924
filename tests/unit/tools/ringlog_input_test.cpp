// SPDX-License-Identifier: Apache-2.0
//
// Lines from stdin: splitting, batching, waiting, and dropping only what must be dropped.
#include <catch2/catch.hpp>

#include "tests/unit/tools/temporary_directory.hpp"
#include "tools/ringlog-publish/input.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;

namespace {

const Input::Instant start{};

std::vector<Record> records_of(const Intake& intake) {
  std::vector<Record> records;
  for (const auto number : intake.outbox().all()) {
    auto record = decode_record(intake.outbox().record(number).payload);
    REQUIRE(record);
    records.push_back(std::move(record).value());
  }
  return records;
}

std::vector<std::string> split(LineSplitter& splitter, std::vector<std::string> parts, bool end) {
  std::vector<std::string> lines;
  const auto sink = [&](const SplitLine& line) {
    lines.push_back(
        line.too_long ? "<" + std::to_string(line.bytes) + ">" : std::string(line.text));
  };
  for (const auto& part : parts) {
    splitter.feed(part, sink);
  }
  if (end) splitter.end(sink);
  return lines;
}

}  // namespace

TEST_CASE("lines come out whole however the input is cut", "[ringlog]") {
  const std::string text = "one\n\ntwo\r\nlast";
  const std::vector<std::string> expected = {"one", "", "two\r", "last"};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    LineSplitter splitter(10);
    CHECK(split(splitter, {text.substr(0, cut), text.substr(cut)}, true) == expected);
  }
}

TEST_CASE("a line beyond the limit is counted to its end and never cut", "[ringlog]") {
  for (std::size_t cut = 0; cut <= 8; ++cut) {
    const std::string text = "12345678\nok\n";
    LineSplitter splitter(5);
    CHECK(
        split(splitter, {text.substr(0, cut), text.substr(cut)}, true) ==
        std::vector<std::string>{"<8>", "ok"});
  }
  LineSplitter splitter(5);
  CHECK(split(splitter, {"12345\n123456"}, true) == std::vector<std::string>{"12345", "<6>"});
}

TEST_CASE("small lines are batched up to the limit, in sequence", "[ringlog]") {
  Intake intake(1 << 20, 1 << 20, std::nullopt);
  Input::Options options;
  options.batch_bytes = 20;
  Input input(options, Producer{random_producer(), "p"}, intake);
  input.feed("aaaa\nbbbb\ncccc\n", start);
  input.flush(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 2);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"aaaa", "bbbb"});
  CHECK(range_of(records[0]) == Range{1, 2});
  CHECK(range_of(records[1]) == Range{3, 3});
}

TEST_CASE("a line that is too long leaves a record of its length in its place", "[ringlog]") {
  Intake intake(1 << 20, 1 << 20, std::nullopt);
  Input::Options options;
  options.line_bytes_max = 4;
  Input input(options, Producer{random_producer(), "p"}, intake);
  input.feed("one\n123456\ntwo\n", start);
  input.end(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 3);
  CHECK(std::get<TooLong>(records[1].body).bytes == 6);
  CHECK(range_of(records[2]) == Range{3, 3});
  CHECK(input.too_long() == 1);
  CHECK(input.notes().size() == 1);
}

TEST_CASE("of an abandoned input only whole lines go out", "[ringlog]") {
  Intake intake(1 << 20, 1 << 20, std::nullopt);
  Input input({}, Producer{random_producer(), "p"}, intake);
  input.feed("one\ntwo\nthr", start);
  CHECK(input.abandon(start) == 3);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 1);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"one", "two"});
  CHECK(input.accepted() == 2);
  CHECK(input.abandon(start) == 0);
}

TEST_CASE(
    "a full pipe blocks its writer for max-block and then loses its newest lines", "[ringlog]") {
  Intake intake(1000, 1000, std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.max_block = 100ms;
  Input input(options, Producer{random_producer(), "p"}, intake);
  REQUIRE(input.wants_data(start));
  const std::string line(99, 'x');
  for (int i = 0; i < 6; ++i) {
    input.feed(line + "\n", start);
  }
  input.flush(start);
  CHECK_FALSE(input.wants_data(start + 1ms));
  CHECK_FALSE(input.wants_data(start + 100ms));
  REQUIRE(input.wake_up() == start + 101ms);
  REQUIRE(input.wants_data(start + 101ms));
  input.feed(line + "\n" + line + "\n", start + 101ms);
  CHECK(input.dropped() == 2);
  CHECK(input.accepted() == 6);
  input.end(start + 102ms);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 2);
  CHECK(std::get<Dropped>(records[1].body) == Dropped{2, 198});
  CHECK(records[1].first_seq == 7);
}

TEST_CASE("a regular file waits for room and loses nothing", "[ringlog]") {
  Intake intake(1000, 1000, std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.can_wait = true;
  Input input(options, Producer{random_producer(), "p"}, intake);
  while (input.wants_data(start)) {
    input.feed(std::string(100, 'x') + "\n", start);
  }
  CHECK_FALSE(input.wants_data(start + 1h));
  CHECK_FALSE(input.wake_up());
  CHECK(input.dropped() == 0);
}

TEST_CASE("lines beyond memory go to the spool and come back in order", "[ringlog]") {
  const TemporaryDirectory directory;
  std::vector<std::string> notes;
  Spool::Options spool_options;
  spool_options.directory = directory.path() + "/spool";
  auto spool = Spool::open(spool_options, notes);
  REQUIRE(spool);
  Intake intake(2000, 1 << 20, std::move(spool).value());
  Input::Options options;
  options.line_bytes_max = 100;
  options.batch_bytes = 300;
  Input input(options, Producer{random_producer(), "p"}, intake);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(input.wants_data(start));
    input.feed(std::string(80, 'x') + std::to_string(i) + "\n", start);
  }
  input.end(start);
  CHECK(input.dropped() == 0);
  CHECK(intake.outbox().bytes() <= 2000);
  std::vector<std::uint64_t> seqs;
  std::uint64_t ticket = 0;
  const auto confirm = [&] {
    Confirmation confirmation;
    confirmation.ticket = ticket;
    confirmation.stable = true;
    for (const auto& origin : intake.outbox().on_confirmation(confirmation, true)) {
      if (origin.source == spool_source) intake.on_spool_settled(origin.mark);
    }
  };
  while (!intake.is_empty()) {
    intake.refill();
    if (const auto number = intake.outbox().next()) {
      const auto record = decode_record(intake.outbox().record(*number).payload);
      REQUIRE(record);
      seqs.push_back(record->first_seq);
      intake.outbox().on_sent(*number, ++ticket);
    } else {
      REQUIRE(intake.outbox().needs_settle());
      intake.outbox().on_settle_sent(++ticket);
    }
    confirm();
  }
  CHECK(std::is_sorted(seqs.begin(), seqs.end()));
  std::uint64_t expected = 1;
  for (const auto seq : seqs) {
    CHECK(seq == expected);
    expected += 3;
  }
  CHECK(intake.notes().empty());
}
