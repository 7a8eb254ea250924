// SPDX-License-Identifier: Apache-2.0
//
// Followed files: rotation by rename and by truncation, partial lines, restarts. Real files,
// an invented clock, no waiting.
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/tools/follower.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;

TEST_CASE("a partial last line is held until it is complete", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\ntw");
  Follower follower(directory);
  follower.poll();
  CHECK(follower.take() == Words{"one"});
  follower.poll();
  CHECK(follower.take().empty());
  append_text_to(directory / "access.log", "o\n");
  follower.poll();
  CHECK(follower.take() == Words{"two"});
}

TEST_CASE("rotation by rename: the old file to its end, then the new one", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  Follower follower(directory);
  follower.poll();
  std::filesystem::rename(directory / "access.log", directory / "access.log.1");
  append_text_to(directory / "access.log.1", "two\nthree");
  write_text(directory / "access.log", "four\n");
  follower.poll();
  append_text_to(directory / "access.log.1", "!\n");
  follower.poll();
  CHECK(follower.take() == Words{"one", "two", "four", "three!"});
}

TEST_CASE("an old file that stays idle beside its successor ends, its last line too", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\nlast");
  Follower follower(directory);
  follower.poll();
  std::filesystem::rename(directory / "access.log", directory / "access.log.1");
  follower.now += 10min;
  follower.poll();
  CHECK(follower.set.file_count() == 1);
  write_text(directory / "access.log", "new\n");
  follower.poll();
  follower.poll();
  CHECK(follower.take() == Words{"one", "new", "last"});
  follower.settle_all();
  follower.poll();
  CHECK(follower.set.file_count() == 1);
}

TEST_CASE("an old file is not over because others grow", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "a.log", "a\n");
  write_text(directory / "b.log", "b\n");
  Follower follower(directory, "*.log");
  follower.poll();
  std::filesystem::rename(directory / "a.log", directory / "a.log.1");
  write_text(directory / "a.log", "");  // there, but its writer still has the old one open
  write_text(directory / "c.log", "c\n");
  for (int i = 0; i < 5; ++i) {
    append_text_to(directory / "b.log", "b\n");
    append_text_to(directory / "c.log", "c\n");
    follower.now += 10min;
    follower.poll();
  }
  (void)follower.take();
  append_text_to(directory / "a.log.1", "late\n");
  follower.poll();
  CHECK(follower.take() == Words{"late"});
  CHECK(follower.set.file_count() == 4);
  follower.settle_all();
  append_text_to(directory / "a.log", "new\n");
  follower.now += 10min;
  follower.poll();
  follower.poll();
  CHECK(follower.take() == Words{"new"});
  CHECK(follower.set.file_count() == 3);
}

TEST_CASE("rotation by copy and truncate: a new producer from the beginning", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\ntwo\n");
  Follower follower(directory);
  follower.poll();
  write_text(directory / "access.log", "");
  follower.poll();
  append_text_to(directory / "access.log", "one\n");
  follower.poll();
  CHECK(follower.take() == Words{"one", "two", "one"});
  CHECK(follower.by_seq.size() == 3);
  CHECK(follower.set.notes().size() == 1);
}

TEST_CASE("a file that was cut and grew longer between two looks is noticed", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\ntwo\n");
  Follower follower(directory);
  follower.poll();
  write_text(directory / "access.log", "three\nfour\nfive\n");
  follower.poll();
  follower.poll();
  CHECK(follower.take() == Words{"one", "two", "three", "four", "five"});
}

TEST_CASE("files that are only looked at are held open through rotation", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  Follower follower(directory);
  follower.poll(0);
  for (const auto* word : {"two\n", "three\n"}) {
    std::filesystem::rename(directory / "access.log", directory / "access.log.1");
    write_text(directory / "access.log", word);
    follower.poll(0);
  }
  std::filesystem::remove(directory / "access.log.1");
  CHECK(follower.take().empty());
  follower.poll();
  CHECK(follower.take() == Words{"one", "two", "three"});
}

TEST_CASE("what was cut away unread is counted", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  Follower follower(directory);
  follower.poll();
  CHECK_FALSE(follower.set.has_lost());
  append_text_to(directory / "access.log", "two\nthree\n");
  follower.poll(0);
  write_text(directory / "access.log", "");
  follower.poll(0);
  append_text_to(directory / "access.log", "four\n");
  follower.poll();
  CHECK(follower.take() == Words{"one", "four"});
  CHECK(follower.set.has_lost());
  const auto notes = follower.set.notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().find(" 10 bytes") != std::string::npos);
}

TEST_CASE("after a restart every line not settled has the number it had", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\ntwo\n");
  std::map<std::pair<ProducerId, std::uint64_t>, std::string> seen;
  {
    Follower follower(directory);
    follower.poll();
    follower.settle_all();
    append_text_to(directory / "access.log", "three\nfour\n");
    follower.poll();
    REQUIRE(follower.set.save());  // sent, not settled, then killed
    seen = follower.by_seq;
  }
  append_text_to(directory / "access.log", "five\n");
  Follower again(directory);
  again.poll();
  CHECK(again.lines == Words{"three", "four", "five"});
  for (const auto& [name, line] : again.by_seq) {
    if (line != "five") CHECK(seen.at(name) == line);
  }
  REQUIRE_FALSE(again.by_seq.empty());
  CHECK(again.by_seq.rbegin()->first.second == 5);
}

TEST_CASE("the producer of a new file is on disk before its first line leaves", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  ProducerId first;
  {
    Follower follower(directory);
    follower.poll();
    first = follower.by_seq.begin()->first.first;
  }
  Follower again(directory);
  again.poll();
  CHECK(again.by_seq.begin()->first.first == first);
}

TEST_CASE("while the checkpoint cannot be saved no new file is read", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  Follower follower(directory, "*.log");
  follower.poll();
  REQUIRE(follower.take() == Words{"one"});
  std::filesystem::create_directory(directory / "tail.json.new");  // in the way of the next save
  write_text(directory / "error.log", "new\n");
  append_text_to(directory / "access.log", "two\n");
  for (int i = 0; i < 100; ++i) {
    follower.poll();
    follower.set.try_save(follower.now);
    follower.now += 250ms;
  }
  CHECK(follower.take() == Words{"two"});  // its producer is on disk
  CHECK(follower.set.is_held_up());
  CHECK(follower.set.notes().size() == 1);
  write_text(directory / "access.log", "");  // copied and cut: another new producer
  follower.poll();
  append_text_to(directory / "access.log", "three\n");
  follower.poll();
  CHECK(follower.take().empty());
  std::filesystem::remove(directory / "tail.json.new");
  follower.now += 5s;
  follower.poll();
  CHECK(follower.take() == Words{"new", "three"});
  const auto seen = follower.by_seq;
  Follower again(directory, "*.log");
  again.poll();
  CHECK_FALSE(again.by_seq.empty());
  for (const auto& [name, line] : again.by_seq) {
    CHECK(seen.at(name) == line);
  }
}

TEST_CASE(
    "lines left out by rules are not looked at again, and other rules number anew", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "a 1\nb 1\na 2\nb 2\n");
  const auto follow = [&](const FilterOptions& rules) {
    auto filter = Filter::make(rules);
    REQUIRE(filter);
    auto rules_of_it = std::move(filter).value();
    auto made = Follower::options(directory, "access.log");
    made.limits.filter = &rules_of_it;
    Follower follower(directory, made);
    follower.poll();
    auto lines = follower.take();
    follower.settle_all();
    REQUIRE(follower.by_seq.size() == lines.size());
    return lines;
  };
  CHECK(follow({{}, {"^b"}, {}, 1}) == Words{"a 1", "a 2"});
  CHECK(follow({{}, {"^b"}, {}, 1}).empty());
  append_text_to(directory / "access.log", "a 3\nb 3\n");
  CHECK(follow({{}, {"^a"}, {}, 1}) == Words{"b 3"});
}

TEST_CASE("another file under a known inode is not taken for the old one", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\ntwo\n");
  {
    Follower follower(directory);
    follower.poll();
    follower.settle_all();
  }
  write_text(directory / "access.log", "ONE\nTWO\nTHREE\n");  // same inode, other content
  Follower again(directory);
  again.poll();
  CHECK(again.take() == Words{"ONE", "TWO", "THREE"});
}

TEST_CASE("the checkpoint stays before the first line that has not settled", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  {
    Follower follower(directory);
    follower.poll();
    append_text_to(directory / "access.log", "two\n");
    follower.poll();
    REQUIRE(follower.origins.size() == 2);
    follower.set.on_settled(follower.origins[1]);
    REQUIRE(follower.set.save());
  }
  Follower again(directory);
  again.poll();
  CHECK(again.take() == Words{"one", "two"});
}

namespace {

// A log of which "one" was read and settled, and to which "two" was written since.
void read_one_of_two(const TemporaryDirectory& directory) {
  write_text(directory / "access.log", "one\n");
  Follower follower(directory);
  follower.poll();
  follower.settle_all();
  append_text_to(directory / "access.log", "two\n");
}

}  // namespace

TEST_CASE("a file that is not there at the start is taken up when it comes back", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one_of_two(directory);
  std::filesystem::create_directory(directory / "away");
  const std::string away = directory / "away/access.log";
  std::filesystem::rename(directory / "access.log", away);
  {
    Follower follower(directory);
    CHECK(follower.set.notes().size() == 1);
    follower.poll();
    follower.settle_all();  // saves the checkpoint: what it said of the file must stay in it
  }
  Follower again(directory);
  CHECK(again.set.notes().empty());  // said before
  again.poll();
  CHECK(again.take().empty());
  std::filesystem::rename(away, directory / "access.log");
  again.poll();
  CHECK(again.take() == Words{"two"});
  CHECK(again.by_seq.begin()->first.second == 2);
}

TEST_CASE("a file that comes back under another name is taken up too", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one_of_two(directory);
  std::filesystem::create_directory(directory / "away");
  std::filesystem::rename(directory / "access.log", directory / "away/access.log");
  Follower follower(directory);
  follower.poll();
  std::filesystem::rename(directory / "away/access.log", directory / "access.log.1");
  write_text(directory / "access.log", "three\n");
  follower.poll();
  follower.now += 1min;
  follower.poll();
  CHECK(follower.take() == Words{"three", "two"});
}

TEST_CASE("a file that cannot be opened at the start keeps its place", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one_of_two(directory);
  std::filesystem::create_directory(directory / "aside");
  std::filesystem::rename(directory / "access.log", directory / "aside/kept");
  // A link to itself cannot be opened, by root neither.
  std::filesystem::create_symlink("access.log", directory / "access.log");
  Follower follower(directory);
  follower.poll();
  follower.settle_all();
  std::filesystem::remove(directory / "access.log");
  std::filesystem::rename(directory / "aside/kept", directory / "access.log");
  follower.poll();
  CHECK(follower.take() == Words{"two"});
}

TEST_CASE("an absent file is forgotten after a month, and said to be gone", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one_of_two(directory);
  std::filesystem::create_directory(directory / "away");
  std::filesystem::rename(directory / "access.log", directory / "away/access.log");
  const auto start = [&](std::chrono::sys_seconds date) {
    Follower follower(directory, "access.log", date);
    auto notes = follower.set.notes();
    follower.poll();
    follower.settle_all();
    return notes;
  };
  CHECK(start(today).size() == 1);
  CHECK(start(today + std::chrono::hours(24 * 29)).empty());
  const auto notes = start(today + std::chrono::hours(24 * 30));
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().find("gone") != std::string::npos);
  CHECK(start(today + std::chrono::hours(24 * 31)).empty());
}

TEST_CASE("a file that --tail names no more keeps its place, unread", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one_of_two(directory);
  write_text(directory / "error.log", "bad\n");
  {
    Follower other(directory, "error.log");
    other.poll();
    CHECK(other.set.notes().size() == 1);
    CHECK(other.take() == Words{"bad"});
    other.settle_all();
  }
  Follower again(directory);
  again.poll();
  CHECK(again.take() == Words{"two"});
}

TEST_CASE("every file of a pattern is followed, compressed ones are not", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "a.log", "a\n");
  write_text(directory / "b.log", std::string(200, 'x') + "\nb\n");
  write_text(directory / "c.log.gz", "c\n");
  Follower follower(directory, "*.log*");
  follower.poll();
  auto lines = follower.take();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Words{"<200>", "a", "b"});
}

TEST_CASE("a file that cannot be opened and a pattern without files are told once", "[ringlog]") {
  const TemporaryDirectory directory;
  Follower follower(directory, "*.log");
  follower.poll();
  follower.poll();
  CHECK(follower.set.notes().size() == 1);
  CHECK(follower.set.has_trouble());
  std::filesystem::create_symlink(
      "a.log", directory / "a.log");  // cannot be opened, by root neither
  std::filesystem::create_directory(directory / "folder.log");
  follower.poll();
  follower.poll();
  auto notes = follower.set.notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().find("a.log: cannot open") != std::string::npos);
  CHECK(follower.set.has_trouble());
  std::filesystem::remove(directory / "a.log");
  write_text(directory / "a.log", "a\n");
  follower.poll();
  CHECK(follower.take() == Words{"a"});
  CHECK(follower.set.notes().empty());
  CHECK_FALSE(follower.set.has_trouble());
}

TEST_CASE("at the end a last line without newline is a line, and stays read", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\nlast");
  {
    Follower follower(directory);
    follower.poll();
    follower.finish();
    CHECK(follower.take() == Words{"one", "last"});
    follower.settle_all();
  }
  Follower again(directory);
  again.poll();
  again.finish();
  CHECK(again.take().empty());
}

TEST_CASE("a damaged checkpoint is an error, not a fresh start", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "tail.json", "{\"ringlog_checkpoint\":1,\"files\":[{}]}");
  TailSet set(Follower::options(directory, "*.log"));
  const auto started = set.start({}, today);
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::corrupt);
}
