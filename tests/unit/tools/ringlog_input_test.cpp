// SPDX-License-Identifier: Apache-2.0
//
// Lines from stdin: splitting, batching, waiting, and dropping only what must be dropped.
#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/input.hpp"
#include "tools/ringlog/trouble.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;

namespace {

const Input::Instant start{};

Filter no_filter() {
  auto filter = Filter::make({});
  REQUIRE(filter);
  return std::move(filter).value();
}

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
  Filter filter = no_filter();
  Intake intake(1 << 20, Outbox(1 << 20), std::nullopt);
  Input::Options options;
  options.batch_bytes = 20;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  input.feed("aaaa\nbbbb\ncccc\n", start);
  input.entry().flush(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 2);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"aaaa", "bbbb"});
  CHECK(range_of(records[0]) == Range{1, 2});
  CHECK(range_of(records[1]) == Range{3, 3});
}

TEST_CASE("a line that is too long leaves a record of its length in its place", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1 << 20, Outbox(1 << 20), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 4;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  input.feed("one\n123456\ntwo\n", start);
  input.end(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 3);
  CHECK(std::get<TooLong>(records[1].body).bytes == 6);
  CHECK(range_of(records[2]) == Range{3, 3});
  CHECK(input.entry().too_long() == 1);
  CHECK(input.entry().notes().size() == 1);
}

TEST_CASE("of an abandoned input only whole lines go out", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1 << 20, Outbox(1 << 20), std::nullopt);
  Input input({}, Producer{random_producer(), "p"}, filter, intake);
  input.feed("one\ntwo\nthr", start);
  CHECK(input.abandon(start) == 3);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 1);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"one", "two"});
  CHECK(input.entry().accepted() == 2);
  CHECK(input.abandon(start) == 0);
}

TEST_CASE(
    "a full pipe blocks its writer for max-block and then loses its newest lines", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.max_block = 100ms;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  REQUIRE(input.entry().wants_data(start));
  const std::string line(99, 'x');
  for (int i = 0; i < 6; ++i) {
    input.feed(line + "\n", start);
  }
  input.entry().flush(start);
  CHECK_FALSE(input.entry().wants_data(start + 1ms));
  CHECK_FALSE(input.entry().wants_data(start + 100ms));
  REQUIRE(input.entry().wake_up(start + 100ms) == start + 101ms);
  REQUIRE(input.entry().wants_data(start + 101ms));
  CHECK_FALSE(input.entry().wake_up(start + 101ms));  // or the loop would turn without pause
  input.feed(line + "\n" + line + "\n", start + 101ms);
  CHECK(input.entry().dropped() == 2);
  CHECK(input.entry().accepted() == 6);
  input.end(start + 102ms);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 2);
  CHECK(std::get<Dropped>(records[1].body) == Dropped{2, 198});
  CHECK(records[1].first_seq == 7);
}

TEST_CASE("what was read while there was room is kept, whatever it takes in memory", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.batch_bytes = 200;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  REQUIRE(input.entry().wants_data(start));
  std::string block;
  for (int i = 0; i < 1000; ++i) {
    block += "x\n";
  }
  input.feed(block, start);
  CHECK(input.entry().accepted() == 1000);
  CHECK(input.entry().dropped() == 0);
  CHECK_FALSE(input.entry().wants_data(start));
}

TEST_CASE("what is dropped is told at once, and then once a second", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.when_full = WhenFull::drop_newest;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  std::vector<std::string> notes;
  const auto drop = [&](int lines, Input::Instant now) {
    for (int i = 0; i < lines; ++i) {
      input.feed(std::string(90, 'x') + "\n", now);
    }
    (void)input.entry().wants_data(now);
    const auto more = input.entry().notes();
    notes.insert(notes.end(), more.begin(), more.end());
  };
  drop(100, start);
  REQUIRE(notes.size() == 1);
  drop(50, start + 999ms);
  REQUIRE(notes.size() == 1);
  drop(0, start + 1s);
  REQUIRE(notes.size() == 2);
  drop(1, start + 1s);
  input.end(start + 1s);
  const auto last = input.entry().notes();
  REQUIRE(last.size() == 1);
  CHECK(last[0].find("dropping lines: 1 (90 bytes)") != std::string::npos);
  std::uint64_t told = 1;
  for (const auto& note : notes) {
    told += std::stoull(note.substr(note.rfind(": ") + 2));
  }
  CHECK(told == input.entry().dropped());
}

TEST_CASE("a regular file waits for room and loses nothing", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.can_wait = true;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  while (input.entry().wants_data(start)) {
    input.feed(std::string(100, 'x') + "\n", start);
  }
  CHECK_FALSE(input.entry().wants_data(start + 1h));
  CHECK_FALSE(input.entry().wake_up(start + 1h));
  CHECK(input.entry().dropped() == 0);
}

namespace {

Spool spool_in(const TemporaryDirectory& directory) {
  std::vector<std::string> notes;
  Spool::Options options;
  options.directory = directory / "spool";
  options.segment_bytes = 1000;
  auto spool = Spool::open(options, notes);
  REQUIRE(spool);
  CHECK(notes.empty());
  return std::move(spool).value();
}

std::uintmax_t spool_bytes(const TemporaryDirectory& directory) {
  std::uintmax_t bytes = 0;
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    bytes += item.file_size();
  }
  return bytes;
}

constexpr std::size_t little_memory = 2000;

using Names = std::vector<std::pair<ProducerId, std::uint64_t>>;

// Lines of 80 bytes, three to a record.
struct SmallInput {
  Filter filter = no_filter();
  Intake intake;
  Input input;

  SmallInput(const TemporaryDirectory& directory, ProducerId producer)
      : intake(little_memory, Outbox(1 << 20), spool_in(directory)),
        input(options(), Producer{producer, "p"}, filter, intake) {}

  static Input::Options options() {
    Input::Options made;
    made.line_bytes_max = 100;
    made.batch_bytes = 300;
    return made;
  }
  void feed(int lines) {
    for (int i = 0; i < lines; ++i) {
      REQUIRE(input.entry().wants_data(start));
      input.feed(std::string(80, 'x') + "\n", start);
    }
    input.entry().flush(start);
  }
  // Sends and confirms so many records, or all there are. `names` gets the name of each that
  // comes to a writer for the first time.
  void send(Names& names, std::size_t records_max = 1 << 20) {
    for (std::size_t sent = 0; sent < records_max && !intake.is_empty();) {
      intake.refill(start);
      ++ticket;
      if (const auto number = intake.outbox().next()) {
        const auto record = decode_record(intake.outbox().record(*number).payload);
        REQUIRE(record);
        const std::pair name(record->producer.id, record->first_seq);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        intake.outbox().on_sent(*number, ticket);
        ++sent;
      } else {
        REQUIRE(intake.outbox().needs_settle());
        intake.outbox().on_settle_sent(ticket);
      }
      confirm();
    }
  }
  void confirm() {
    Confirmation confirmation;
    confirmation.ticket = ticket;
    confirmation.stable = true;
    for (const auto& origin : intake.outbox().on_confirmation(confirmation, true)) {
      if (origin.source == spool_source) intake.on_spool_settled(origin.mark);
    }
  }

  std::uint64_t ticket{0};
};

}  // namespace

TEST_CASE("lines beyond memory go to the spool and come back in order", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto producer = random_producer();
  SmallInput all(directory, producer);
  all.feed(200);
  CHECK(all.input.entry().dropped() == 0);
  CHECK(all.intake.outbox().bytes() <= little_memory);
  Names names;
  all.send(names);
  REQUIRE(names.size() == 67);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(names[i] == std::pair(producer, 1 + 3 * i));
  }
  CHECK(all.intake.notes().empty());
}

TEST_CASE("lines wait in order and in bounded memory while the spool takes none", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto producer = random_producer();
  SmallInput all(directory, producer);
  auto options = SmallInput::options();
  options.max_block = 24h;
  Input input(options, Producer{producer, "p"}, all.filter, all.intake);
  auto now = start;
  std::size_t fed = 0;
  const auto feed_while_wanted = [&](int times) {
    for (int i = 0; i < times && input.entry().wants_data(now); ++i) {
      input.feed(std::string(80, 'x') + "\n", now);
      ++fed;
    }
  };
  feed_while_wanted(60);
  CHECK(fed == 60);
  // No further segment can be begun; it is tried again for a long time.
  std::filesystem::rename(directory / "spool", directory / "away");
  for (int i = 0; i < 200; ++i) {
    feed_while_wanted(1);
    now += 10s;
    all.intake.refill(now);
  }
  CHECK(fed < 60 + 20);
  CHECK(all.intake.notes().size() == 1);
  std::filesystem::rename(directory / "away", directory / "spool");
  now += 10s;
  all.intake.refill(now);
  feed_while_wanted(60);
  CHECK(fed > 60 + 59);
  input.end(now);
  Names names;
  all.send(names);
  REQUIRE(names.size() == (fed + 2) / 3);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(names[i] == std::pair(producer, 1 + 3 * i));
  }
}

TEST_CASE("what is put away at the end comes back in order", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto first = random_producer();
  const auto second = random_producer();
  Names names;
  {
    SmallInput before(directory, first);
    before.feed(60);  // some in memory, the rest behind them in the spool
    CHECK(before.intake.put_away().lost == 0);
  }
  {
    SmallInput between(directory, second);
    between.send(names, 18);
    CHECK(names.size() == 18);
    between.intake.refill(start);
    between.feed(60);  // behind the last of the spool, in memory and again in the spool
    CHECK(between.intake.put_away().lost == 0);
  }
  SmallInput after(directory, random_producer());
  after.send(names);
  Names expected;
  for (const auto& producer : {first, second}) {
    for (std::uint64_t seq = 1; seq <= 60; seq += 3) {
      expected.emplace_back(producer, seq);
    }
  }
  CHECK(names == expected);
  CHECK(after.intake.notes().empty());
}

TEST_CASE("starts that reach no daemon add to the spool what they read, no more", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto restart = [&](const ProducerId& producer) {
    SmallInput run(directory, producer);
    run.intake.refill(start);
    run.feed(3);
    CHECK(run.intake.put_away().lost == 0);
    CHECK(run.intake.notes().empty());
  };
  std::vector<ProducerId> producers;
  std::uintmax_t one = 0;
  for (std::size_t i = 1; i <= 12; ++i) {  // beyond what memory takes
    restart(producers.emplace_back(random_producer()));
    if (i == 1) one = spool_bytes(directory);
    CHECK(spool_bytes(directory) == i * one);
  }
  SmallInput after(directory, random_producer());
  Names names;
  after.send(names);
  REQUIRE(names.size() == producers.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(names[i].first == producers[i]);
  }
  CHECK(spool_bytes(directory) == 0);
}

TEST_CASE("the same trouble is told once, and tried with growing pauses", "[ringlog]") {
  Trouble trouble(1s);
  auto now = start;
  int told = 0;
  int tried = 0;
  for (int i = 0; i < 100; ++i, now += 100ms) {
    if (!trouble.may_try(now)) continue;
    ++tried;
    told += trouble.on_failure("disk full", now) ? 1 : 0;
  }
  CHECK(told == 1);
  CHECK(tried == 14);  // after 50, 100 ... 800 and then every 1000 ms, seen every 100 ms
  CHECK(trouble.on_failure("read-only", now));
  trouble.on_success(now + 1s);
  CHECK(trouble.may_try(now + 1s));
  CHECK_FALSE(trouble.on_failure("read-only", now + 2s));  // it comes and goes
  trouble.on_success(now + 12s);
  CHECK(trouble.on_failure("read-only", now + 13s));
}

TEST_CASE("a spool that cannot be read is told once and tried again", "[ringlog]") {
  const TemporaryDirectory directory;
  SmallInput all(directory, random_producer());
  all.feed(60);
  std::vector<std::string> texts;
  std::vector<std::string> paths;
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() != ".spool") continue;
    paths.push_back(item.path().string());
    texts.push_back(read_text(paths.back()));
    write_text(paths.back(), "");
  }
  REQUIRE(paths.size() > 1);
  Names names;
  all.send(names, 6);  // what is in memory
  auto now = start;
  for (int i = 0; i < 100; ++i, now += 100ms) {
    all.intake.refill(now);
  }
  CHECK(all.intake.notes().size() == 1);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    write_text(paths[i], texts[i]);
  }
  all.intake.refill(now + 10s);
  all.send(names);
  CHECK(names.size() == 20);
}

TEST_CASE("by choice a full pipe loses its newest lines at once", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.when_full = WhenFull::drop_newest;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(input.entry().wants_data(start));
    input.feed(std::string(99, 'x') + "\n", start);
  }
  CHECK(input.entry().accepted() == 6);
  CHECK(input.entry().dropped() == 14);
}

TEST_CASE("by choice a full pipe loses its oldest lines, and each has its number", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(3000, Outbox(1000), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 100;
  options.batch_bytes = 300;
  options.when_full = WhenFull::drop_oldest;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(input.entry().wants_data(start));
    input.feed(std::string(99, 'x') + "\n", start);
  }
  input.end(start);
  CHECK(input.entry().accepted() == 1000);
  CHECK(input.entry().dropped() == 0);
  CHECK(intake.outbox().bytes() <= 3000);
  std::uint64_t next = 1;
  std::uint64_t lines = 0;
  for (const auto& record : records_of(intake)) {
    CHECK(record.first_seq == next);
    next = range_of(record).last + 1;
    const auto* const body = std::get_if<Lines>(&record.body);
    lines += body == nullptr ? 0 : body->lines.size();
  }
  CHECK(next == 1001);
  CHECK(intake.dropped() + lines == 1000);
  CHECK(lines > 5);
}

TEST_CASE("with a spool its oldest lines make room", "[ringlog]") {
  const TemporaryDirectory directory;
  std::vector<std::string> notes;
  Spool::Options spool_options;
  spool_options.directory = directory / "spool";
  spool_options.segment_bytes = 1000;
  spool_options.bytes_max = 5000;
  auto spool = Spool::open(spool_options, notes);
  REQUIRE(spool);
  Filter filter = no_filter();
  Intake intake(little_memory, Outbox(1000), std::move(spool).value());
  Input::Options options = SmallInput::options();
  options.when_full = WhenFull::drop_oldest;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  for (int i = 0; i < 500; ++i) {
    REQUIRE(input.entry().wants_data(start));
    input.feed(std::string(80, 'x') + "\n", start);
  }
  input.end(start);
  CHECK(input.entry().accepted() == 500);
  CHECK(intake.dropped() > 300);
  CHECK(intake.dropped() < 500);
  CHECK(spool_bytes(directory) <= 5000);
  CHECK(intake.notes().size() == 1);
}

TEST_CASE("lines left out take no number", "[ringlog]") {
  auto made = Filter::make({{}, {"^no"}, {"/x/yy/"}, 1});
  REQUIRE(made);
  auto filter = std::move(made).value();
  Intake intake(1 << 20, Outbox(1 << 20), std::nullopt);
  Input::Options options;
  options.line_bytes_max = 6;
  Input input(options, Producer{random_producer(), "p"}, filter, intake);
  input.feed("one\nno\nxtwo\nxxxx\n", start);
  input.end(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 2);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"one", "yytwo"});
  CHECK(std::get<TooLong>(records[1].body).bytes == 8);  // the line as it would have been sent
  CHECK(records[1].first_seq == 3);
}

TEST_CASE("a note of lines dropped before stands in the place of those lines", "[ringlog]") {
  Filter filter = no_filter();
  Intake intake(1 << 20, Outbox(1 << 20), std::nullopt);
  Input input({}, Producer{{}, "web"}, filter, intake);
  input.feed("one\n", start);
  input.take_note({7, 700}, start);
  input.feed("two\n", start);
  input.end(start);
  const auto records = records_of(intake);
  REQUIRE(records.size() == 3);
  CHECK(std::get<Lines>(records[0].body).lines == std::vector<std::string>{"one"});
  CHECK(std::get<Dropped>(records[1].body) == Dropped{7, 700, 1});
  CHECK(records[1].first_seq == 2);
  CHECK(std::get<Lines>(records[2].body).lines == std::vector<std::string>{"two"});
  CHECK(input.entry().dropped() == 7);
}
