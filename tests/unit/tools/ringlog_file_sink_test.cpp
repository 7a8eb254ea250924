// SPDX-License-Identifier: Apache-2.0
//
// FileSink: each line once in the file its template says, whatever ends the process or the
// disk; and no name from the network leads anywhere else.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <re2/re2.h>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/tools/journals.hpp"
#include "tools/ringlog-write/sinks/file_sink.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

namespace fs = std::filesystem;

struct Scene {
  TemporaryDirectory directory{};
  TestJournal journal{directory / "journal"};
  FileSinkOptions options{};
  LineRuleOptions rules{};
  std::vector<std::string> told{};

  Scene() { options.path = directory / "out/access.log"; }

  FileSink sink() {
    return FileSink(options, "weblogs", directory / "journal.sink-files", [this](const auto& text) {
      told.push_back(text);
    });
  }
  /// All that a sink does not have yet.
  Result<void> catch_up(FileSink& sink) {
    const auto position = sink.open(journal.journal().id());
    REQUIRE(position.ok());
    const auto begin = position->has_value() ? (*position)->offset : 0;
    if (begin == journal.journal().kept()) return {};
    const TestBatch batch(journal, begin, rules);
    return sink.write(batch.batch);
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_text(directory / ("out/" + name));
  }
  /// All regular files below out/, by their path in it.
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory / "out")) {
      if (entry.is_regular_file()) {
        found.insert(fs::relative(entry.path(), directory / "out").string());
      }
    }
    return found;
  }
};

std::string decompressed(const std::string& path) {
  const auto command = (path.ends_with(".gz") ? "gzip -dc " : "zstd -qdc ") + ("'" + path + "'");
  std::string text;
  auto* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> block{};
  for (std::size_t got = 0; (got = ::fread(block.data(), 1, block.size(), pipe)) > 0;) {
    text.append(block.data(), got);
  }
  CHECK(::pclose(pipe) == 0);
  return text;
}

}  // namespace

TEST_CASE("a file sink writes what the journal holds, once, over restarts", "[sinks]") {
  Scene scene;
  scene.journal.append({{1, 1, {"a", "b"}}});
  {
    auto sink = scene.sink();
    REQUIRE(scene.catch_up(sink).ok());
  }
  CHECK(scene.text("access.log") == "a\nb\n");
  scene.journal.append({{1, 3, {std::string("c\0\xff\r", 4)}}});
  for (int start = 0; start < 2; ++start) {
    auto sink = scene.sink();
    REQUIRE(scene.catch_up(sink).ok());
  }
  CHECK(scene.text("access.log") == std::string("a\nb\nc\0\xff\r\n", 9));
}

TEST_CASE("a step that was begun and not completed is undone", "[sinks]") {
  Scene scene;
  scene.journal.append({{1, 1, {"a"}}});
  {
    auto sink = scene.sink();
    REQUIRE(scene.catch_up(sink).ok());
  }
  const auto memory_path = scene.directory / "journal.sink-files";
  {
    auto memory = FileMemory::open(memory_path, false);
    REQUIRE(memory.ok());
    REQUIRE(memory->begin({{scene.directory / "out/access.log", 2}}).ok());
  }
  append_text_to(scene.directory / "out/access.log", "half of a li");
  scene.journal.append({{1, 2, {"b"}}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  CHECK(scene.text("access.log") == "a\nb\n");
}

TEST_CASE("a full disk costs patience and no line", "[sinks]") {
  Scene scene;
  scene.journal.append({{1, 1, {"a"}}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  scene.journal.append({{1, 2, {std::string(100000, 'x')}}});
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto limit = before;
  limit.rlim_cur = 50000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto refused = scene.catch_up(sink);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  (void)std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(refused.ok());
  CHECK(
      refused.error().message.find("access.log: cannot write: File too large") !=
      std::string::npos);
  CHECK(fs::file_size(scene.directory / "out/access.log") > 2);  // part of it is there
  REQUIRE(scene.catch_up(sink).ok());
  CHECK(scene.text("access.log") == "a\n" + std::string(100000, 'x') + "\n");
}

TEST_CASE("names from the network stay in their directory", "[sinks]") {
  Scene scene;
  scene.options.path = scene.directory / "out/{vhost}/{publisher}.log";
  scene.rules.vhost = true;
  const std::vector<std::string> hosts{
      "../../etc/passwd",
      "..",
      ".",
      "/etc/passwd",
      std::string("nul\0byte", 8),
      "",
      "\xc3\xa9.example",
      std::string(5000, 'h'),
      std::string(5000, 'h') + "2",
      "a/b",
      "www.example.org:80",
      "x.zst",
      "%more"};
  std::vector<std::string> lines;
  for (const auto& host : hosts) {
    lines.push_back(host + " GET /");
  }
  scene.journal.append({{1, 1, lines}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  const auto files = scene.files();
  CHECK(files.size() == hosts.size());  // each has a file of its own
  for (const auto& file : files) {
    CHECK(std::count(file.begin(), file.end(), '/') == 1);
    CHECK(scene.text(file) == "GET /\n");
  }
  CHECK(files.contains("%2E.%2F..%2Fetc%2Fpasswd/p1.log"));
  CHECK(files.contains("%2E./p1.log"));
  CHECK(files.contains("%2E/p1.log"));
  CHECK(files.contains("%2Fetc%2Fpasswd/p1.log"));
  CHECK(files.contains("nul%00byte/p1.log"));
  CHECK(files.contains("%/p1.log"));
  CHECK(files.contains("%C3%A9.example/p1.log"));
  CHECK(files.contains("www.example.org:80/p1.log"));
  CHECK(files.contains("x%2Ezst/p1.log"));
  CHECK(fs::exists(scene.directory / "out"));
  CHECK(
      std::distance(fs::directory_iterator(scene.directory.path()), {}) ==
      6);  // journal, its 4 files, out
}

TEST_CASE("a million virtual hosts fill neither the descriptors nor the disk's names", "[sinks]") {
  Scene scene;
  scene.options.path = scene.directory / "out/{vhost}";
  scene.options.open_max = 16;
  scene.options.names_max = 300;
  scene.options.sync = false;
  scene.rules.vhost = true;
  auto sink = scene.sink();
  constexpr std::uint64_t hosts = 1'000'000;
  constexpr std::uint64_t piece = 100'000;
  for (std::uint64_t first = 0; first < hosts; first += piece) {
    std::vector<std::string> lines;
    for (auto host = first; host < first + piece; ++host) {
      lines.push_back("host" + std::to_string(host) + " x");
    }
    scene.journal.append({{1, first + 1, std::move(lines)}});
    REQUIRE(scene.catch_up(sink).ok());
    CHECK(sink.open_files() <= 16);
  }
  CHECK(scene.files().size() == 301);
  CHECK(scene.text("host299") == "x\n");
  CHECK(fs::file_size(scene.directory / "out/%more") == 2 * (hosts - 300));
  REQUIRE(scene.told.size() == 1);
  CHECK(scene.told[0].find("more than 300 names") != std::string::npos);
  // Those that were admitted stay so, also for another process.
  scene.journal.append({{1, hosts + 1, {"host7 again", "new again"}}});
  auto next = scene.sink();
  REQUIRE(scene.catch_up(next).ok());
  CHECK(scene.text("host7") == "x\nagain\n");
  CHECK(scene.files().size() == 301);
}

TEST_CASE(
    "a file is rotated before it grows beyond its size, at the same line everywhere", "[sinks]") {
  const auto compression = GENERATE(Compression::none, Compression::gzip, Compression::zstd);
  Scene scene;
  scene.options.rotate_bytes = 10;
  scene.options.compress = compression;
  auto sink = scene.sink();
  scene.journal.append({{1, 1, {"1234", "5678", "9", "longer than the limit", "a"}}});
  REQUIRE(scene.catch_up(sink).ok());
  sink.wait_for_compression();
  CHECK(scene.text("access.log") == "a\n");
  std::string all;
  std::set<std::string> parts;
  for (const auto& file : scene.files()) {
    if (file == "access.log") continue;
    CHECK(file.starts_with("access.log~"));
    CHECK(file.ends_with(suffix_of(compression)));
    parts.insert(
        compression == Compression::none ? scene.text(file)
                                         : decompressed(scene.directory / ("out/" + file)));
  }
  CHECK(parts == std::set<std::string>{"1234\n5678\n", "9\n", "longer than the limit\n"});
}

TEST_CASE(
    "what was closed and not compressed before a kill is compressed at the next start", "[sinks]") {
  Scene scene;
  scene.options.compress = Compression::zstd;
  scene.journal.append({{1, 1, {"a"}}});
  {
    auto sink = scene.sink();
    REQUIRE(scene.catch_up(sink).ok());
  }
  fs::rename(scene.directory / "out/access.log", scene.directory / "out/access.log~1");
  {
    auto memory = FileMemory::open(scene.directory / "journal.sink-files", false);
    REQUIRE(memory.ok());
    memory->close(scene.directory / "out/access.log~1");
    REQUIRE(memory->keep().ok());
  }
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  sink.wait_for_compression();
  CHECK(scene.files() == std::set<std::string>{"access.log~1.zst"});
  CHECK(decompressed(scene.directory / "out/access.log~1.zst") == "a\n");
}

TEST_CASE("a file keeps the lines of one period of the clock", "[sinks]") {
  Scene scene;
  scene.options.rotate_every = std::chrono::hours{1};
  scene.journal.append({{1, 1, {"a"}}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  // As if it had been two hours ago.
  const auto path = scene.directory / "out/access.log";
  fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours{2});
  scene.journal.append({{1, 2, {"b"}}});
  auto next = scene.sink();
  REQUIRE(scene.catch_up(next).ok());
  CHECK(scene.text("access.log") == "b\n");
  CHECK(scene.files().size() == 2);
}

TEST_CASE("files get their mode and their place in new directories", "[sinks]") {
  Scene scene;
  scene.options.path = scene.directory / "out/%Y/{group}/{daemon}.log";
  scene.options.mode = 0640;
  scene.options.owner = std::to_string(::getuid()) + ":" + std::to_string(::getgid());
  scene.journal.append({{1, 1, {"a"}}, {1, 2, {"b"}, "d2"}, {1, 0, {"#ringlog-gap {}"}, "", true}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  const auto files = scene.files();
  REQUIRE(files.size() == 3);
  struct stat status {};
  REQUIRE(::stat((scene.directory / ("out/" + *files.begin())).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0640U);
  CHECK(files.begin()->ends_with("/weblogs/%markers.log"));
}

TEST_CASE("a directory that may not be written is told and waited for", "[sinks]") {
  Scene scene;
  fs::create_directory(scene.directory / "out");
  write_text(scene.directory / "out/access.log", "");
  fs::remove(scene.directory / "out/access.log");
  fs::create_directory(scene.directory / "out/access.log");  // even root cannot write that
  scene.journal.append({{1, 1, {"a"}}});
  auto sink = scene.sink();
  const auto refused = scene.catch_up(sink);
  REQUIRE_FALSE(refused.ok());
  CHECK(
      refused.error().message.find("out/access.log: cannot open for writing: Is a directory") !=
      std::string::npos);
  fs::remove(scene.directory / "out/access.log");
  REQUIRE(scene.catch_up(sink).ok());
  CHECK(scene.text("access.log") == "a\n");
}

TEST_CASE("a file that was renamed away or cut is begun anew", "[sinks]") {
  Scene scene;
  auto sink = scene.sink();
  scene.journal.append({{1, 1, {"a"}}});
  REQUIRE(scene.catch_up(sink).ok());
  fs::rename(scene.directory / "out/access.log", scene.directory / "out/old");
  REQUIRE(sink.reopen().ok());
  scene.journal.append({{1, 2, {"b"}}});
  const TestBatch second(scene.journal, 2);
  REQUIRE(sink.write(second.batch).ok());
  CHECK(scene.text("access.log") == "b\n");
  fs::resize_file(scene.directory / "out/access.log", 0);
  scene.journal.append({{1, 3, {"c"}}});
  const TestBatch third(scene.journal, 4);
  REQUIRE(sink.write(third.batch).ok());
  CHECK(scene.text("access.log") == "c\n");
  CHECK(scene.text("old") == "a\n");
}

TEST_CASE("lines are chosen, split and stamped as spreadlogd does", "[sinks]") {
  Scene scene;
  scene.rules.match = {"GET", "^\\S+ POST"};
  scene.rules.vhost = true;
  scene.rules.timestamp = "[%Y]";
  scene.rules.utc = true;
  scene.options.path = scene.directory / "out/{vhost}.log";
  scene.journal.append(
      {{1, 1, {"h GET [x] [y]", "h PUT [x]", "h POST no stamp", "onlyGET"}},
       {1, 0, {"#ringlog-gap {}"}, "", true}});
  auto sink = scene.sink();
  REQUIRE(scene.catch_up(sink).ok());
  const auto text = scene.text("h.log");
  CHECK(re2::RE2::FullMatch(text, "GET \\[20\\d\\d\\] \\[y\\]\nPOST no stamp\n"));
  CHECK(scene.text("%.log") == "onlyGET\n");
  CHECK(scene.text("%markers.log") == "#ringlog-gap {}\n");
}
