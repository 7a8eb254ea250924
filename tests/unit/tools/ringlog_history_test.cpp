// SPDX-License-Identifier: Apache-2.0
//
// The history of a file: every part of it can be found, split and told by name, after any end
// of the program; and what the files of two hosts say of one another.
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/file_report.hpp"
#include "tools/ringlog-write/history.hpp"
#include "tools/ringlog-write/history_message.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/replay_command.hpp"
#include "tools/ringlog-write/segment.hpp"
#include "tools/ringlog-write/writer_message.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

constexpr std::size_t line_bytes = 1000;

Producer producer() {
  Producer made;
  made.id.bytes[0] = 1;
  made.name = "web1";
  return made;
}

Position position(std::uint64_t seq) {
  return Position{ConfigurationId{17, "web1", 0x5f0c9a31}, seq, 2};
}

// A file of numbered lines, its state, and an entry for each line.
struct Log {
  TemporaryDirectory directory;
  std::string path = directory / "access.log";
  std::string text;
  LoadedState loaded;

  explicit Log(std::uint64_t lines) {
    loaded.state.group = "weblogs";
    for (std::uint64_t seq = 1; seq <= lines; ++seq) {
      auto line = std::to_string(seq);
      line.resize(line_bytes - 1, 'x');
      FileEntry entry;
      entry.before = loaded.state.end;
      entry.after =
          FilePoint{entry.before.length + line_bytes, seq, chain_line(entry.before.chain, line)};
      entry.position = position(seq);
      entry.time_ms = static_cast<std::int64_t>(seq * 10);
      entry.additions = {Addition{producer(), {seq, seq}, AddedAs::line}};
      apply(loaded.state, entry);
      loaded.recent.push_back(entry);
      text += line + "\n";
    }
    write_text(path, text);
  }
  [[nodiscard]] History open() const {
    auto history = History::open(path, loaded);
    REQUIRE(history);
    return std::move(history).value();
  }
};

// Entries follow one another, from the beginning to the end, and name all lines.
void check_whole(const History& history, const Log& log) {
  const auto entries = history.from(0, log.text.size() + 1);
  REQUIRE(entries);
  FileState state;
  state.group = "weblogs";
  for (const auto& entry : *entries) {
    REQUIRE(entry.before == state.end);
    apply(state, entry);
  }
  state.position = log.loaded.state.position;  // of a part it may be a little too high
  CHECK(state == log.loaded.state);
}

}  // namespace

TEST_CASE("a history has all of its file, before and after it is opened again", "[ringlog]") {
  Log log(3000);
  {
    auto history = log.open();
    check_whole(history, log);
    REQUIRE(history.settle());
    check_whole(history, log);
  }
  log.loaded.recent.clear();
  check_whole(log.open(), log);
}

TEST_CASE("what a history lacks after a kill the sidecar's entries have", "[ringlog]") {
  Log log(300);
  {
    auto history = log.open();
    REQUIRE(history.flush());  // the last entry still grows
  }
  const auto name = history_path(log.path);
  const auto whole = read_text(name);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size()}) {
    write_text(name, whole.substr(0, whole.size() - cut));
    check_whole(log.open(), log);
  }
}

TEST_CASE("a history that goes beyond its file is cut where the file ends", "[ringlog]") {
  Log log(300);
  REQUIRE(log.open().settle());
  const Log shorter(130);
  std::filesystem::copy_file(history_path(log.path), history_path(shorter.path));
  auto history = shorter.open();
  CHECK(history.end() == shorter.loaded.state.end);
  check_whole(history, shorter);
}

TEST_CASE("another file's history is of no use and does no harm", "[ringlog]") {
  const Log log(10);
  write_text(history_path(log.path), "0000000000000000 {}\nnonsense\n");
  check_whole(log.open(), log);
  LoadedState unknown;
  unknown.state.end = FilePoint{log.text.size(), 10, 77};
  const auto history = History::open(log.path, unknown);
  REQUIRE(history);
  const auto entries = history->from(0, 1);
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().is_unnamed());
}

TEST_CASE("a place is found by line, time and position", "[ringlog]") {
  const Log log(3000);
  const auto history = log.open();
  for (const std::uint64_t number : {1U, 2U, 65U, 1000U, 2999U, 3000U}) {
    const auto place = history.at_line(number);
    REQUIRE(place);
    CHECK(place->lines < number);
    CHECK(number - place->lines <= 70);
  }
  CHECK(history.at_line(3001)->length == log.text.size());
  const auto later = history.at_time(20000);
  REQUIRE(later);
  CHECK(later->lines >= 1999 - 70);
  CHECK(later->lines <= 2070);
  const auto behind = history.at_position(position(1500));
  REQUIRE(behind);
  CHECK(behind->lines <= 1500);
  CHECK(behind->lines + 70 > 1500);
  const auto places = history.points(0, log.text.size(), 5);
  REQUIRE(places);
  CHECK(places->size() > 5);
  CHECK(std::is_sorted(places->begin(), places->end(), [](const auto& one, const auto& other) {
    return one.length < other.length;
  }));
}

TEST_CASE("an entry can be split at each of its lines and nowhere else", "[ringlog]") {
  Table missing;
  (void)missing.add(producer(), {1, 2});
  (void)missing.add(producer(), {5, 6});
  const auto gap = gap_marker(missing) + "\n";
  const auto loss = loss_marker(Record{producer(), 9, TooLong{99}}) + "\n";
  const auto merged = merged_marker({3, "c", 1}, 1) + "\n";
  const auto text = gap + "seven\neight\n" + loss + merged + "ten\n";
  FileEntry entry;
  entry.after = FilePoint{text.size(), 3, chain_text(0, text)};
  entry.markers = {{0, 4}, {gap.size() + 12, 1}, {gap.size() + 12 + loss.size(), 0}};
  entry.additions = {
      {producer(), {1, 2}, AddedAs::gap},
      {producer(), {5, 6}, AddedAs::gap},
      {producer(), {7, 8}, AddedAs::line},
      {producer(), {9, 9}, AddedAs::loss},
      {producer(), {10, 10}, AddedAs::line}};
  FileState whole;
  apply(whole, entry);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto parts = split_at(entry, text, length);
    const bool is_end_of_line = length == 0 || text[length - 1] == '\n';
    REQUIRE(parts.has_value() == is_end_of_line);
    if (!parts) continue;
    const auto& [front, back] = *parts;
    CHECK(front.after == back.before);
    CHECK(front.after.chain == chain_text(0, text.substr(0, length)));
    FileState sum;
    apply(sum, front);
    apply(sum, back);
    CHECK(sum == whole);
  }
  // An entry that says something else of its lines is no use.
  entry.additions.pop_back();
  CHECK_FALSE(split_at(entry, text, text.size()));
}

TEST_CASE("messages of writers read as they were written and no truncation passes", "[ringlog]") {
  const ConfigurationId configuration{17, "web1", 0x5f0c9a31};
  const Record record{producer(), 3, Lines{{"three", "four"}}};
  for (const auto& message :
       {WriterMessage(Exclude{"point", {"#a#x", "#b#y"}}),
        WriterMessage(Announce{{configuration}}),
        WriterMessage(Offer{configuration, {{record, "d1"}, {record}}})}) {
    const auto bytes = encode(message);
    const auto decoded = decode_writer_message(bytes);
    REQUIRE(decoded);
    CHECK(*decoded == message);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      REQUIRE_FALSE(decode_writer_message(std::span(bytes).first(length)));
    }
  }
}

TEST_CASE("requests and replies read as they were written", "[ringlog]") {
  const Log log(2);
  HistoryRequest request;
  request.group = "weblogs";
  request.id = 7;
  request.bytes_max = 100;
  request.until = 200;
  request.wants_table = true;
  for (int place = 0; place < 5; ++place) {
    if (place == 0) request.from = Points{{10, 1, 7}, {20, 2, 8}};
    if (place == 1) request.from = FromLine{3};
    if (place == 2) request.from = FromTime{4};
    if (place == 3) request.from = FromPosition{position(5)};
    if (place == 4) request.from = FromFront{};
    const auto bytes = encode(request);
    const auto decoded = decode_history_request(bytes);
    REQUIRE(decoded);
    CHECK(*decoded == request);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      REQUIRE_FALSE(decode_history_request(std::span(bytes).first(length)));
    }
  }
  request.from = Points{{20, 1, 7}, {10, 2, 8}};
  CHECK_FALSE(decode_history_request(encode(request)));

  HistoryReply reply;
  reply.id = 7;
  reply.is_served = reply.is_live = true;
  reply.end = log.loaded.state.end;
  reply.position = position(9);
  reply.entries = log.loaded.recent;
  reply.data = log.text;
  const auto decoded = decode_history_reply(encode(reply));
  REQUIRE(decoded);
  CHECK(*decoded == reply);
  reply.begins = FilePoint{5, 1, 3};
  CHECK(decode_history_reply(encode(reply)).value() == reply);
  reply.data += "more";
  CHECK_FALSE(decode_history_reply(encode(reply)));
  reply.data = log.text;
  reply.agreed.length = 1;
  CHECK_FALSE(decode_history_reply(encode(reply)));
}

TEST_CASE("a pending file reads as the records that were set aside", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto path = directory / "access.log";
  const ConfigurationId configuration{17, "web1", 0x5f0c9a31};
  const Record lines{producer(), 3, Lines{{"three", "#ringlog-pending {}"}}};
  const Record dropped{producer(), 5, Dropped{3, 30}};
  const Record too_long{producer(), 6, TooLong{99}};
  std::string text;
  for (const auto& record : {lines, dropped, too_long}) {
    text += pending_record(record, position(1), "why", "d1").text;
  }
  write_text(segment_path(path, configuration), text + "#ringlog-pending {\"torn");
  write_text(path + ".pending-nonsense", text);
  Segment segment(segment_path(path, configuration));
  CHECK(segment.next() == OfferedRecord{lines, "d1"});
  CHECK(segment.next() == OfferedRecord{dropped, "d1"});
  CHECK(segment.next() == OfferedRecord{too_long, "d1"});
  CHECK_FALSE(segment.next());
  CHECK(segment.whole_bytes() == text.size());
  const auto found = find_segments(path);
  REQUIRE(found.size() == 1);
  CHECK(found.at(configuration).count() == 4);
}

TEST_CASE("files are compared by their reports alone", "[ringlog]") {
  const Log log(3000);
  const Log other(2500);
  const auto one = report_of_file(log.path);
  const auto two = report_of_file(other.path);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->end == log.loaded.state.end);
  CHECK(one->points.size() == 2);
  const auto parsed = parse_report(to_json(*one), "report");
  REQUIRE(parsed);
  CHECK(parsed->points == one->points);
  using Kind = FileComparison::Kind;
  CHECK(compare(*one, *parsed)->kind == Kind::equal);
  CHECK(compare(*two, *one)->kind == Kind::first_is_beginning);
  CHECK(compare(*one, *two)->kind == Kind::second_is_beginning);
  CHECK(compare(*two, *one)->untold == 0);
  CHECK(compare(*two, *parsed)->kind == Kind::first_is_beginning);
  CHECK(compare(*two, *parsed)->untold > 0);

  auto text = other.text;
  text[1500 * line_bytes + 5] = '!';
  write_text(other.path, text + "no end");
  const auto changed = report_of_file(other.path);
  REQUIRE(changed);
  CHECK(changed->rest == 6);
  const auto found = compare(*changed, *parsed);
  REQUIRE(found);
  CHECK(found->kind == Kind::differ);
  CHECK(found->alike.lines < 1500);
  CHECK(found->until.lines > 1500);
  const auto first = first_difference(other.path, log.path, found->alike);
  REQUIRE(first);
  CHECK(first->line == 1501);
  CHECK(first->offset == 1500 * line_bytes);
  CHECK_FALSE(parse_report("{\"ringlog_report\":1}", "report"));
  CHECK_FALSE(report_of_file(log.directory / "none"));
}

TEST_CASE("times and positions are read as people write them", "[ringlog]") {
  CHECK(*parse_time("@12") == 12000);
  CHECK(*parse_time("1970-01-02T00:00:01Z") == 86401000);
  for (const auto* text : {"", "@", "@x", "@-1", "2026-02-30T00:00:00Z", "2026-01-01", "noon"}) {
    CHECK_FALSE(parse_time(text));
  }
  CHECK(*parse_position("17.web1.5f0c9a31/4211/2") == position(4211));
  for (const auto* text :
       {"", "17.web1.5f0c9a31", "17.web1.5f0c9a31/1", "a/1/2", "1.a.00000001/1/2/3"}) {
    CHECK_FALSE(parse_position(text));
  }
}
