// SPDX-License-Identifier: Apache-2.0
//
// A file that is bounded: its front is given back to the file system, whenever the writer is
// killed, and what is kept can be read, proved and compared as before.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog-write/file_report.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/sparse_lines.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t limit = 256 * kib;
constexpr std::uint64_t line_bytes = 1000;
constexpr std::uint64_t batch_lines = 16;
// Beyond the limit: what is not worth a snapshot, the entry that reaches over, one batch more, and
// the file system's blocks.
constexpr std::uint64_t slack = 64 * kib + 64 * kib + batch_lines * line_bytes + 16 * kib;

std::uint64_t disk_bytes(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

// A store whose file system can refuse, with a clock of its own.
struct Bounded {
  std::string path;
  Keep keep{limit, {}};
  int refusal{0};        // errno of the calls that release
  int calls_left{1000};  // before it refuses
  std::vector<std::string> told{};
  std::int64_t time_ms{1'000'000'000'000};
  Store::Instant now{std::chrono::hours{1}};
  FilePoint end{};
  std::optional<Store> store{};

  void start() {
    store.reset();
    StoreOptions options;
    options.group = "weblogs";
    options.path = path;
    options.keep = keep;
    options.tell = [this](const std::string& sentence) { told.push_back(sentence); };
    options.calls.time_ms = [this] { return time_ms; };
    options.calls.release = [this](int fd, std::uint64_t from, std::uint64_t to) {
      if (refusal == 0 || calls_left-- > 0) return release_bytes(fd, from, to);
      errno = refusal;
      return -1;
    };
    store.emplace(std::move(options));
    REQUIRE(store->open(now));
    end = store->written().end;
  }
  void step() {
    now += std::chrono::seconds{1};
    store->flush(now);
    store->sync_if_due(now);
    store->release_if_due(now);
  }
  void write(std::uint64_t lines, char fill = 'x') {
    for (; lines > 0; lines -= std::min(lines, batch_lines)) {
      ReconcilerOutput output;
      FileEntry entry;
      entry.before = end;
      Producer producer;
      producer.name = "p";
      const Range range{end.lines + 1, end.lines + std::min(lines, batch_lines)};
      for (auto seq = range.first; seq <= range.last; ++seq) {
        auto line = std::to_string(seq);
        line.resize(line_bytes - 1, fill);
        end = FilePoint{end.length + line_bytes, seq, chain_line(end.chain, line)};
        output.data += line + "\n";
      }
      entry.after = end;
      entry.additions = {Addition{producer, range, AddedAs::line}};
      output.entries.push_back(entry);
      store->take(output);
      step();
    }
  }
  [[nodiscard]] const FilePoint& begins() const { return store->begins(); }
  [[nodiscard]] std::size_t count_told(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(told.begin(), told.end(), [&](const auto& text) {
      return text.find(part) != std::string::npos;
    }));
  }
};

// What is kept is all there, by the entries' names and by the chain.
void check_kept(const Bounded& file) {
  auto here = file.begins();
  auto table = file.store->written().front.table;
  while (here.length < file.end.length) {
    const auto part = file.store->read(here, 100 * kib, 0);
    REQUIRE(part);
    REQUIRE(!part->entries.empty());
    REQUIRE(part->entries.front().before == here);
    for (const auto& entry : part->entries) {
      for (const auto& addition : entry.additions) {
        REQUIRE(table.add(addition.producer, addition.range).size() == 1);
      }
    }
    REQUIRE(chain_text(here.chain, part->data) == part->entries.back().after.chain);
    here = part->entries.back().after;
  }
  CHECK(here == file.end);
  CHECK(table == file.store->written().table);
}

}  // namespace

TEST_CASE("a file with a limit takes no more of the disk, however much is written", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded file{directory / "log"};
  file.start();
  for (int i = 0; i < 20; ++i) {
    file.write(limit / line_bytes);
    CHECK(disk_bytes(file.path) <= limit + slack);
    CHECK(disk_bytes(history_path(file.path)) <= 64 * kib);
    CHECK(file.end.length - file.begins().length >= std::min(limit, file.end.length));
  }
  CHECK(file.begins().length > 15 * limit);
  struct stat status {};
  REQUIRE(::stat(file.path.c_str(), &status) == 0);
  CHECK(std::cmp_equal(status.st_size, file.end.length));
  check_kept(file);
  CHECK_FALSE(file.store->read(FilePoint{}, 1, 0));
  CHECK(file.store->point_at(0).value() == std::nullopt);
  CHECK(file.store->history().at_line(1).value() == file.begins());
  CHECK_FALSE(file.store->cut(FilePoint{}, file.now));
  file.start();
  check_kept(file);
  CHECK(file.store->written().table.count() == file.end.lines);
}

TEST_CASE("a kill between saying where a file begins and giving back costs nothing", "[ringlog]") {
  const auto calls = GENERATE(1, 2);  // the first asks whether holes can be made at all
  CAPTURE(calls);
  const TemporaryDirectory directory;
  Bounded file{directory / "log"};
  file.refusal = EIO;
  file.calls_left = calls;
  file.start();
  file.write(5 * limit / line_bytes);
  const auto begins = file.begins();
  REQUIRE(begins.length > 0);
  CHECK(file.count_told("cannot release") > 0);
  REQUIRE(disk_bytes(file.path) + disk_bytes(history_path(file.path)) > limit + slack);
  file.refusal = 0;
  file.start();
  CHECK(file.begins() == begins);
  check_kept(file);
  file.write(1);
  CHECK(disk_bytes(file.path) <= limit + slack);
  CHECK(disk_bytes(history_path(file.path)) <= 64 * kib);
  check_kept(file);
}

TEST_CASE("what could not be given back is, as soon as that works again", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded file{directory / "log"};
  file.refusal = EIO;
  file.calls_left = 1;
  file.start();
  file.write(3 * limit / line_bytes);
  REQUIRE(disk_bytes(file.path) > limit + slack);
  file.refusal = 0;
  file.now += std::chrono::minutes{2};
  file.step();
  CHECK(file.count_told("released again") == 1);
  CHECK(disk_bytes(file.path) <= limit + slack);
}

TEST_CASE("a file system that cannot make holes is told of once, and all is kept", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded file{directory / "log"};
  file.refusal = EOPNOTSUPP;
  file.calls_left = 0;
  file.start();
  file.write(5 * limit / line_bytes);
  CHECK(file.count_told("cannot give back parts of a file") == 1);
  CHECK(file.told.size() == 1);
  CHECK(file.begins() == FilePoint{});
  check_kept(file);
}

TEST_CASE("by time what is younger is kept, and an hour without lines releases too", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded file{directory / "log"};
  file.keep = Keep{0, std::chrono::hours{1}};
  file.start();
  std::vector<FilePoint> ends;
  for (int hour = 0; hour < 4; ++hour) {
    file.write(200);
    ends.push_back(file.end);
    file.time_ms += 1'800'000;
  }
  // Written at 0:00, 0:30, 1:00 and 1:30; it is 2:00.
  CHECK(file.begins().length <= ends[1].length);
  CHECK(file.begins().length + 128 * kib > ends[1].length);
  file.time_ms += 2'400'000;
  file.step();
  CHECK(file.begins().length > ends[1].length);
  check_kept(file);
  file.time_ms += 36'000'000;
  file.step();
  CHECK(file.begins().length < file.end.length);  // of the last entry nobody knows how old it gets
  check_kept(file);
}

TEST_CASE("what stood in front survives in a snapshot, and nonsense is refused", "[ringlog]") {
  FileState state;
  state.group = "weblogs";
  state.end = FilePoint{300, 3, 7};
  state.front.begins = FilePoint{100, 1, 5};
  (void)state.front.table.add(Producer{{}, "p"}, {1, 1});
  (void)state.front.gaps.add(Producer{{}, "p"}, {9, 10});
  state.table = state.front.table;
  const auto read =
      parse_snapshot(snapshot_line(state).substr(0, snapshot_line(state).size() - 1), "");
  REQUIRE(read);
  CHECK(*read == state);
  state.front.begins.length = 301;
  const auto refused =
      parse_snapshot(snapshot_line(state).substr(0, snapshot_line(state).size() - 1), "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
}

TEST_CASE("files with different limits are the same by what both keep", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded whole{directory / "whole", Keep{}};
  Bounded some{directory / "some", Keep{6 * limit, {}}};
  Bounded few{directory / "few"};
  for (auto* file : {&whole, &some, &few}) {
    file->start();
    file->write(10 * limit / line_bytes);
    file->store.reset();
  }
  REQUIRE(disk_bytes(few.path) < disk_bytes(some.path));
  REQUIRE(disk_bytes(some.path) < disk_bytes(whole.path));
  std::vector<FileReport> reports;
  for (const auto* file : {&whole, &some, &few}) {
    const auto report = report_of_file(file->path);
    REQUIRE(report);
    CHECK(report->problem.empty());
    CHECK(report->end.length == file->end.length);
    CHECK(report->end.chain == file->end.chain);
    const auto sent = parse_report(to_json(*report), "sent");
    REQUIRE(sent);
    CHECK(sent->begins == report->begins);
    reports.push_back(*report);
    reports.push_back(*sent);
  }
  for (const auto& one : reports) {
    for (const auto& other : reports) {
      const auto compared = compare(one, other);
      REQUIRE(compared);
      CHECK(compared->kind == FileComparison::Kind::equal);
    }
  }
}

TEST_CASE("files with different limits are told apart where they differ", "[ringlog]") {
  const TemporaryDirectory directory;
  Bounded whole{directory / "whole", Keep{}};
  Bounded few{directory / "few"};
  Bounded old{directory / "old", Keep{}};
  whole.start();
  few.start();
  old.start();
  old.write(100);
  whole.write(10 * limit / line_bytes);
  few.write(10 * limit / line_bytes - 16);
  few.write(16, 'y');
  for (auto* file : {&whole, &few, &old}) {
    file->store.reset();
  }
  const auto one = report_of_file(whole.path);
  const auto other = report_of_file(few.path);
  const auto early = report_of_file(old.path);
  REQUIRE((one && other && early));
  const auto compared = compare(*other, *one);
  REQUIRE(compared);
  CHECK(compared->kind == FileComparison::Kind::differ);
  const auto difference = first_difference(few.path, whole.path, compared->alike);
  REQUIRE(difference);
  CHECK(difference->offset == few.end.length - 16 * line_bytes);
  CHECK(compare(*early, *one)->kind == FileComparison::Kind::first_is_beginning);
  CHECK(compare(*early, *other)->kind == FileComparison::Kind::apart);
  REQUIRE(std::remove(sidecar_path(few.path).c_str()) == 0);
  CHECK_FALSE(report_of_file(few.path));
}

TEST_CASE(
    "lines behind a hole are read at their places, whatever the hole cut in two", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto path = directory / "lines";
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += std::string(99, static_cast<char>('a' + i % 20)) + "\n";
  }
  write_text(path, text + "rest");
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(release_bytes(file.get(), 0, 200'050) == 0);
  auto lines = SparseLines::open(path);
  REQUIRE(lines);
  std::uint64_t at = 200'050;
  while (true) {
    const auto line = lines->next();
    REQUIRE(line);
    if (!*line) break;
    REQUIRE(lines->line_begins() == at);
    REQUIRE(std::string(**line) + "\n" == text.substr(at, lines->line_ends() - at));
    at = lines->line_ends();
  }
  CHECK(at == text.size());
  auto none = SparseLines::open(directory / "none");
  REQUIRE(none);
  CHECK(none->next().value() == std::nullopt);
}
