// SPDX-License-Identifier: Apache-2.0
//
// Files that are rotated while nobody follows them: once, twice, by rename and by copy.
#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/tools/follower.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;

namespace {

// "one" was read and settled; then nobody follows.
void read_one(const TemporaryDirectory& directory) {
  write_text(directory / "access.log", "one\n");
  Follower follower(directory);
  follower.poll();
  follower.settle_all();
}

}  // namespace

TEST_CASE("rotation by rename while stopped loses nothing", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "one\n");
  {
    Follower follower(directory);
    follower.poll();
    follower.settle_all();
  }
  append_text_to(directory / "access.log", "two\n");
  std::filesystem::rename(directory / "access.log", directory / "access.log.1");
  write_text(directory / "access.log", "three\n");
  Follower again(directory);
  again.poll();
  CHECK(again.take() == Words{"two", "three"});
}

TEST_CASE("rotated twice and more while stopped nothing is lost, nor read again", "[ringlog]") {
  for (const auto* const ending : {".%d", "-2026010%d", ".2026-01-0%d"}) {
    const TemporaryDirectory directory;
    const auto rotated = [&](int number) {
      std::string name = ending;
      return directory / ("access.log" + name.replace(name.find("%d"), 2, std::to_string(number)));
    };
    write_text(rotated(5), "long ago\n");
    std::filesystem::last_write_time(
        rotated(5), std::filesystem::file_time_type::clock::now() - 1h);
    read_one(directory);
    append_text_to(directory / "access.log", "two\n");
    std::filesystem::rename(directory / "access.log", rotated(1));
    for (const auto* const line : {"three\n", "four\n"}) {
      std::filesystem::rename(rotated(1), rotated(*line == 't' ? 2 : 3));
      write_text(rotated(1), line);
    }
    std::filesystem::rename(rotated(1), rotated(4));
    write_text(directory / "access.log", "five\n");
    write_text(directory / "access.log.bak", "mine\n");
    write_text(directory / "access.log.1.gz", "packed\n");
    Follower again(directory);
    again.poll();
    auto lines = again.take();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == Words{"five", "four", "three", "two"});
    again.settle_all();
    Follower third(directory);
    third.poll();
    CHECK(third.take().empty());
  }
}

TEST_CASE("copied and truncated while stopped the rest is read from the copy", "[ringlog]") {
  for (const auto* const next : {"", "x\n", "a longer line than there was before\n"}) {
    const TemporaryDirectory directory;
    read_one(directory);
    append_text_to(directory / "access.log", "two\n");
    std::filesystem::copy_file(directory / "access.log", directory / "access.log.1");
    write_text(directory / "access.log", next);
    Follower again(directory);
    again.poll();
    auto lines = again.take();
    if (*next != '\0') {
      REQUIRE(lines.size() == 2);
      CHECK(lines.back() + "\n" == next);
      lines.pop_back();
    }
    CHECK(lines == Words{"two"});
    again.settle_all();
  }
}

TEST_CASE("a copy beside a log that goes on is not read", "[ringlog]") {
  const TemporaryDirectory directory;
  read_one(directory);
  std::filesystem::copy_file(directory / "access.log", directory / "access.log.1");
  append_text_to(directory / "access.log", "two\n");
  Follower again(directory);
  again.poll();
  CHECK(again.take() == Words{"two"});
}

TEST_CASE("truncated and written anew while stopped, shorter or longer", "[ringlog]") {
  for (const auto* const next : {"x\n", "a longer line than there was before\n"}) {
    const TemporaryDirectory directory;
    read_one(directory);
    write_text(directory / "access.log", next);
    Follower again(directory);
    again.poll();
    const auto lines = again.take();
    REQUIRE(lines.size() == 1);
    CHECK(lines.front() + "\n" == next);
  }
}
