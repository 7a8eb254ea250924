// SPDX-License-Identifier: Apache-2.0
//
// Journal: what sinks see of a writer's file is kept, in order, and says where it came from.
#include <filesystem>
#include <sys/stat.h>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/unit/tools/journals.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

TEST_CASE("every line of a journal has its origin", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a", "b"}, "d1"}, {2, 7, {"c"}, "d2"}});
  journal.append({{1, 0, {"#ringlog-gap {}"}, "", true}, {1, 3, {"d", "#ringlog-gap {}"}, "d3"}});
  const TestBatch read(journal);
  REQUIRE(read.lines.lines.size() == 6);
  const auto& lines = read.lines.lines;
  CHECK(lines[1].text == "b");
  CHECK(lines[1].origin.first_seq == 2);
  CHECK(lines[1].origin.source->name == "p1");
  CHECK(lines[2].origin.source->producer == to_string(test_producer(2).id));
  CHECK(lines[2].origin.source->daemon == "d2");
  CHECK(lines[2].origin.configuration == to_string(ConfigurationId{1, "a", 1}));
  CHECK(lines[2].origin.time_ms > 0);
  CHECK(lines[3].is_marker);
  CHECK_FALSE(lines[5].is_marker);
  CHECK(lines[5].origin.source->daemon == "d3");
}

TEST_CASE("a reader may begin within a record and read in small pieces", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a", "b", "c", "d"}}, {2, 1, {"e", "f"}}});
  auto reader = JournalReader::open(journal.path(), 4);
  REQUIRE(reader.ok());
  std::vector<std::string> found;
  while (reader->begin() < journal.journal().kept()) {
    const auto batch = reader->read(journal.journal().kept(), 3);
    REQUIRE(batch.ok());
    for (const auto& line : batch->lines) {
      found.push_back(
          std::string(line.text) + line.origin.source->name + ":" +
          std::to_string(line.origin.first_seq));
    }
  }
  CHECK(found == std::vector<std::string>{"cp1:3", "dp1:4", "ep2:1", "fp2:2"});
}

TEST_CASE("what is written and not synced is no sink's business yet", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.take({{1, 1, {"a"}}});
  CHECK(journal.journal().kept() == 0);
  journal.sync();
  CHECK(journal.journal().kept() == 2);
}

TEST_CASE("origins survive a restart, and go where their lines were cut off", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a"}}});
  const auto id = journal.journal().id();
  journal.append({{2, 1, {"b"}, "d2"}});
  // As after a power cut: the second write is not in the file.
  std::filesystem::resize_file(journal.path(), 2);
  journal.restart();
  CHECK(journal.journal().id() == id);
  CHECK(journal.journal().kept() == 2);
  journal.append({{3, 5, {"c"}, "d3"}});
  const TestBatch read(journal);
  REQUIRE(read.lines.lines.size() == 2);
  CHECK(read.lines.lines[1].origin.source->name == "p3");
  CHECK(read.lines.lines[1].origin.first_seq == 5);
}

TEST_CASE("a journal that is cut goes on under another name, from there", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a", "b"}}, {2, 1, {"c", "d"}, "d2"}});
  journal.append({{1, 3, {"e"}}});
  const auto id = journal.journal().id();
  journal.cut(6);  // behind c
  const auto next = journal.journal().id();
  CHECK(next == id + ".000001");
  CHECK(journal.journal().kept() == 6);
  CHECK(journal.journal().place_of(id, 10) == 6);
  CHECK(journal.journal().place_of(id, 4) == 4);
  CHECK_FALSE(journal.journal().place_of("another", 4));
  journal.append({{3, 5, {"f"}, "d3"}});
  journal.cut(2);
  CHECK(journal.journal().place_of(id, 10) == 2);
  journal.append({{3, 7, {"g"}, "d3"}});
  journal.restart();
  CHECK(journal.told().empty());
  CHECK(journal.journal().place_of(next, 8) == 2);
  CHECK(journal.journal().place_of(journal.journal().id(), 4) == 4);
  const TestBatch read(journal);
  REQUIRE(read.lines.lines.size() == 2);
  CHECK(read.lines.lines[0].origin.source->name == "p1");
  CHECK(read.lines.lines[1].origin.source->name == "p3");
  CHECK(read.lines.lines[1].origin.first_seq == 7);
}

TEST_CASE("damaged origins cost publishers' names and no line", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a"}}});
  journal.append({{1, 2, {"b"}}});
  auto text = read_text(origins_path(journal.path()));
  text[text.size() - 5] ^= 1;
  write_text(origins_path(journal.path()), text);
  journal.restart();
  REQUIRE(journal.told().size() == 1);
  journal.append({{1, 3, {"c"}}});
  const TestBatch read(journal);
  REQUIRE(read.lines.lines.size() == 3);
  CHECK(read.lines.lines[0].origin.first_seq == 1);
  CHECK(read.lines.lines[1].origin.source->name.empty());
  CHECK(read.lines.lines[2].origin.first_seq == 3);
}

TEST_CASE("a line of nine megabytes passes a reader of small pieces", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  const std::string large(std::size_t{9} << 20U, 'x');
  journal.append({{1, 1, {"a", large, "b"}}});
  auto reader = JournalReader::open(journal.path(), 0);
  REQUIRE(reader.ok());
  std::size_t lines = 0;
  bool is_whole = false;
  while (reader->begin() < journal.journal().kept()) {
    const auto batch = reader->read(journal.journal().kept(), 65536);
    REQUIRE(batch.ok());
    for (const auto& line : batch->lines) {
      ++lines;
      is_whole = is_whole || line.text == large;
    }
  }
  CHECK(lines == 3);
  CHECK(is_whole);
}

TEST_CASE("what tells of the front of a journal is given back with it", "[sinks]") {
  const TemporaryDirectory directory;
  constexpr std::uint64_t limit = std::uint64_t{128} << 10U;
  constexpr std::uint64_t records = 1000;  // at a time, of a line each
  TestJournal journal(directory / "journal", Keep{limit, {}});
  std::uint64_t seq = 0;
  const auto append_many = [&] {
    std::vector<TestRecord> many;
    for (std::uint64_t i = 0; i < records; ++i) {
      ++seq;
      many.push_back(
          {static_cast<std::uint8_t>(1 + seq % 7), seq, {"line " + std::to_string(seq)}});
    }
    journal.append(many);
  };
  const auto origins_blocks = [&] {
    struct stat status {};
    REQUIRE(::stat(origins_path(journal.path()).c_str(), &status) == 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  };
  for (int i = 0; i < 130; ++i) {
    append_many();
    REQUIRE(origins_blocks() < std::uint64_t{9} << 18U);
  }
  struct stat status {};
  REQUIRE(::stat(origins_path(journal.path()).c_str(), &status) == 0);
  REQUIRE(std::cmp_less(std::uint64_t{5} << 19U, status.st_size));
  for (const std::string what : {"as it is", "restarted", "cut", "restarted again"}) {
    CAPTURE(what);
    if (what.starts_with("restarted")) journal.restart();
    const auto begins = journal.store().begins();
    if (what == "cut") {
      const auto part = journal.store().read(begins, 50'000, 0);
      journal.cut(part->entries.back().after.length);
      seq = journal.store().written().end.lines;
      append_many();
    }
    const TestBatch read(journal, begins.length);
    REQUIRE(read.lines.lines.size() == seq - begins.lines);
    auto expected = begins.lines;
    for (const auto& line : read.lines.lines) {
      ++expected;
      REQUIRE(line.text == "line " + std::to_string(expected));
      REQUIRE(line.origin.first_seq == expected);
      REQUIRE(line.origin.source->name == "p" + std::to_string(1 + expected % 7));
      REQUIRE(line.origin.configuration == "1.a.00000001");
    }
    append_many();
  }
  CHECK(journal.told().empty());
}
