// SPDX-License-Identifier: Apache-2.0
//
// Store: what it calls kept is kept, and a disk that refuses costs patience, not processor.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/chain.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using std::chrono::milliseconds;

namespace {

constexpr Store::Instant start{std::chrono::hours{1}};

// A store on a disk that can be told to refuse, and the calls it makes.
struct Disk {
  TemporaryDirectory directory;
  std::string path = directory / "access.log";
  bool is_full{false};
  bool cannot_sync{false};
  bool cannot_sync_directory{false};
  std::vector<std::string> calls{};
  std::vector<std::string> told{};
  FilePoint end{};

  Store store(bool adopt = false) {
    StoreOptions options;
    options.adopt = adopt;
    options.adopt_block_bytes = 7;
    options.group = "weblogs";
    options.path = path;
    options.tell = [this](const std::string& sentence) { told.push_back(sentence); };
    options.calls.write = [this](int fd, const void* data, std::size_t size, off_t at) {
      calls.emplace_back("write");
      if (!is_full) return ::pwrite(fd, data, size, at);
      errno = ENOSPC;
      return ssize_t{-1};
    };
    options.calls.sync = [this](int fd) {
      calls.emplace_back("sync");
      if (!cannot_sync) return ::fdatasync(fd);
      errno = EIO;
      return -1;
    };
    options.calls.sync_directory = [this](const std::string& name) -> Result<void> {
      calls.emplace_back("sync directory");
      if (!cannot_sync_directory) return sync_directory_of(name);
      return Error{Errc::io, "cannot sync the directory"};
    };
    Store made(std::move(options));
    REQUIRE(made.open(start));
    return made;
  }

  ReconcilerOutput line(const std::string& text) {
    FileEntry entry;
    entry.before = end;
    end.length += text.size() + 1;
    ++end.lines;
    end.chain = chain_line(end.chain, text);
    entry.after = end;
    Producer producer;
    producer.name = "p";
    entry.additions = {Addition{producer, {end.lines, end.lines}, AddedAs::line}};
    ReconcilerOutput output;
    output.data = text + "\n";
    output.entries.push_back(entry);
    return output;
  }
};

ReconcilerOutput pending(const std::string& text) {
  ReconcilerOutput output;
  output.pending.push_back(PendingRecord{ConfigurationId{17, "web1", 1}, text, 1});
  return output;
}

// Does the store's next step whenever it asks for one, for a minute, `before` first. Returns
// when the minute was over.
template <class Work>
Store::Instant live_a_minute(Store& store, Work before) {
  auto now = start + milliseconds{1};
  int steps = 0;
  for (; now < start + std::chrono::seconds{60}; ++steps) {
    before();
    store.flush(now);
    store.sync_if_due(now);
    const auto next = store.next_step();
    REQUIRE(next);
    REQUIRE(*next > now);
    now = *next;
  }
  CHECK(steps < 50);
  return now;
}

std::size_t count_of(const std::vector<std::string>& words, const std::string& word) {
  return static_cast<std::size_t>(std::count(words.begin(), words.end(), word));
}

}  // namespace

TEST_CASE("a pending record is kept only once its data and its name are synced", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  auto output = pending("line\n");
  store.take(output);
  CHECK_FALSE(store.is_kept());
  store.flush(start);
  CHECK(store.unwritten_bytes() == 0);
  CHECK_FALSE(store.is_kept());

  disk.cannot_sync_directory = true;
  store.sync_if_due(start + milliseconds{200});
  CHECK_FALSE(store.is_kept());
  disk.cannot_sync_directory = false;
  store.sync_if_due(start + milliseconds{400});
  CHECK(store.is_kept());
  CHECK(disk.calls.front() == "write");
  CHECK(disk.calls.back() == "sync directory");
  CHECK(read_text(disk.path + ".pending-17.web1.00000001") == "line\n");

  // The name is on the disk from then on.
  output = pending("more\n");
  store.take(output);
  store.flush(start + milliseconds{400});
  store.sync_if_due(start + milliseconds{600});
  CHECK(store.is_kept());
  CHECK(count_of(disk.calls, "sync directory") == 2);
}

TEST_CASE("a pending file that ends inside a record is cut before its head", "[ringlog]") {
  const std::string head =
      R"(#ringlog-pending {"producer":"01000000000000000000000000000000","count":2,"seq":)";
  const std::string whole = head + "1}\none\ntwo\n";
  for (const std::string torn : {"", "3}", "3}\n", "3}\nthree\n", "3}\nthree\nfo"}) {
    Disk disk;
    const auto path = disk.path + ".pending-17.web1.00000001";
    write_text(path, whole + (torn.empty() ? "" : head) + torn);
    auto store = disk.store();
    auto output = pending("more\n");
    store.take(output);
    store.flush(start);
    CHECK(read_text(path) == whole + "more\n");
  }
}

TEST_CASE("a file with a large hole is not adopted", "[ringlog]") {
  const TemporaryDirectory directory;
  StoreOptions options;
  options.adopt = true;
  options.group = "weblogs";
  options.path = directory / "access.log";
  options.tell = [](const std::string&) {};
  write_text(options.path, "one\n");
  std::filesystem::resize_file(options.path, std::uintmax_t{65} << 20U);
  Store store(std::move(options));
  const auto opened = store.open(start);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("behind byte 4") != std::string::npos);
}

TEST_CASE("lines are kept once they and their entry are synced", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  auto output = disk.line("a");
  store.take(output);
  store.flush(start);
  CHECK(store.written().end.lines == 1);
  CHECK_FALSE(store.is_kept());
  CHECK(store.next_step() == start + milliseconds{200});
  store.sync_if_due(start + milliseconds{199});
  CHECK_FALSE(store.is_kept());
  store.sync_if_due(start + milliseconds{200});
  CHECK(store.is_kept());
  CHECK_FALSE(store.next_step());
}

TEST_CASE("while the disk is full the next step is never in the past", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  auto output = disk.line("a");
  store.take(output);
  store.flush(start);
  disk.is_full = true;
  output = disk.line("b");
  store.take(output);
  output = pending("c\n");
  store.take(output);

  const auto now = live_a_minute(store, [] {});
  CHECK(store.written().end.lines == 1);

  disk.is_full = false;
  store.flush(now + std::chrono::seconds{2});
  store.sync_if_due(now + std::chrono::seconds{2});
  CHECK(store.is_kept());
  CHECK(read_text(disk.path) == "a\nb\n");
  CHECK(disk.told.back() == "writing again");
  CHECK(count_of(disk.told, "writing again") == 1);
}

TEST_CASE("a disk that writes but does not sync is told of once, with pauses", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  disk.cannot_sync = true;
  const auto now = live_a_minute(store, [&] {
    auto output = disk.line("a");
    store.take(output);
  });
  CHECK_FALSE(store.is_kept());
  REQUIRE(disk.told.size() == 1);
  CHECK(disk.told[0].find("cannot sync") != std::string::npos);

  disk.cannot_sync = false;
  store.sync_if_due(now);
  CHECK(store.is_kept());
  CHECK(disk.told.back() == "synced again");
}

TEST_CASE("an adopted file is read in blocks, wherever they end", "[ringlog]") {
  Disk disk;
  const std::string text = "a\n\nlonger than two blocks of seven\n123456\n1234567\n\n";
  write_text(disk.path, text);
  const auto store = disk.store(true);
  CHECK(store.written().end.length == text.size());
  CHECK(store.written().end.lines == 6);
  CHECK(store.written().end.chain == chain_text(0, text));
  CHECK(read_text(disk.path) == text);
}

TEST_CASE("a file whose last line has no end is not adopted", "[ringlog]") {
  Disk disk;
  write_text(disk.path, "complete\nnot complete");
  StoreOptions options;
  options.path = disk.path;
  options.adopt = true;
  Store store(std::move(options));
  const auto opened = store.open(start);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("not complete") != std::string::npos);
}

TEST_CASE("a file that another program renames is told of once", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  std::filesystem::rename(disk.path, disk.path + ".1");
  for (int round = 1; round <= 3; ++round) {
    auto output = disk.line("a");
    store.take(output);
    store.flush(start);
    store.sync_if_due(start + milliseconds{200} * round);
  }
  CHECK(store.is_kept());
  CHECK(read_text(disk.path + ".1") == "a\na\na\n");
  REQUIRE(disk.told.size() == 1);
  CHECK(disk.told[0].find("renamed") != std::string::npos);
}

TEST_CASE("a file that another program cuts is told of each time", "[ringlog]") {
  Disk disk;
  auto store = disk.store();
  for (int round = 0; round < 4; ++round) {
    auto output = disk.line("a");
    store.take(output);
    store.flush(start);
    if (round % 2 == 0) std::filesystem::resize_file(disk.path, 0);
  }
  REQUIRE(disk.told.size() == 2);
  CHECK(disk.told[0].find("holds 0 bytes, not 2") != std::string::npos);
}
