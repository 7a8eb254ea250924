// SPDX-License-Identifier: Apache-2.0
//
// The spool: what was appended comes back after every kind of end, and segments go when all
// their records have settled.
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/spool.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

Spool::Options options(const TemporaryDirectory& directory) {
  Spool::Options made;
  made.directory = directory / "spool";
  made.segment_bytes = 100;
  made.bytes_max = 1000;
  return made;
}

Spool opened(const TemporaryDirectory& directory, std::size_t notes_expected = 0) {
  std::vector<std::string> notes;
  auto spool = Spool::open(options(directory), notes);
  REQUIRE(spool);
  CHECK(notes.size() == notes_expected);
  return std::move(spool).value();
}

void append(Spool& spool, const std::string& text) {
  REQUIRE(spool.append(std::as_bytes(std::span(text))));
}

std::vector<std::string> read_all(Spool& spool, bool settle) {
  std::vector<std::string> texts;
  while (spool.has_unread()) {
    const auto record = spool.read_next();
    REQUIRE(record);
    std::string text;
    for (const auto byte : record->payload) {
      text += static_cast<char>(byte);
    }
    texts.push_back(text);
    if (settle) REQUIRE(spool.on_settled(record->segment));
  }
  return texts;
}

std::size_t segments(const TemporaryDirectory& directory) {
  std::size_t count = 0;
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() == ".spool") ++count;
  }
  return count;
}

std::string only_segment(const TemporaryDirectory& directory) {
  REQUIRE(segments(directory) == 1);
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() == ".spool") return item.path().string();
  }
  return {};
}

}  // namespace

TEST_CASE("spooled records come back in order, and again until they settle", "[ringlog]") {
  const TemporaryDirectory directory;
  std::vector<std::string> written;
  {
    auto spool = opened(directory);
    for (int i = 0; i < 12; ++i) {
      written.push_back("record " + std::to_string(i));
      append(spool, written.back());
    }
    CHECK(segments(directory) == 3);
    CHECK(read_all(spool, false) == written);
  }
  {
    auto spool = opened(directory);
    CHECK(spool.unread() == 12);
    CHECK(read_all(spool, true) == written);
    CHECK(spool.bytes() == 0);
  }
  CHECK(segments(directory) == 0);
}

TEST_CASE("a record that reaches past the end of its file is cut off", "[ringlog]") {
  for (std::size_t torn = 1; torn < 12 + 6; ++torn) {
    const TemporaryDirectory directory;
    {
      auto spool = opened(directory);
      append(spool, "first");
      append(spool, "second");
    }
    const auto path = only_segment(directory);
    const auto text = read_text(path);
    write_text(path, text.substr(0, text.size() - torn));
    auto spool = opened(directory, 1);
    CHECK(std::filesystem::file_size(path) == 12 + 5);
    CHECK(read_all(spool, true) == std::vector<std::string>{"first"});
    CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
  }
}

TEST_CASE("an end that is not a torn record is never cut off", "[ringlog]") {
  // Zeros, as a power cut leaves them; a length no record has; a payload that was changed.
  const std::string zeros(30, '\0');
  const std::string too_long = "\xFF\xFF\xFF\xFF" + std::string(30, 'x');
  for (const auto& more : {zeros, too_long, std::string()}) {
    const TemporaryDirectory directory;
    {
      auto spool = opened(directory);
      for (const auto* word : {"first", "second", "third"}) {
        append(spool, word);
      }
    }
    const auto path = only_segment(directory);
    auto text = read_text(path) + more;
    if (more.empty()) text[12 + 5 + 12] ^= 1;  // in the second record; the third is whole
    write_text(path, text);
    auto spool = opened(directory, 1);
    const auto texts = read_all(spool, true);
    CHECK(texts.size() == (more.empty() ? 1U : 3U));
    CHECK(texts.front() == "first");
    CHECK(read_text(path + ".damaged") == text);
    CHECK(segments(directory) == 0);
  }
}

TEST_CASE("a damaged segment is read up to the damage and set aside", "[ringlog]") {
  const TemporaryDirectory directory;
  {
    auto spool = opened(directory);
    for (int i = 0; i < 12; ++i) {
      append(spool, "record " + std::to_string(i));
    }
  }
  const auto path = (directory / "spool") + "/0000001000000000.spool";
  auto text = read_text(path);
  text[12 + 8 + 12 + 3] ^= 1;  // in the second record
  write_text(path, text);
  auto spool = opened(directory, 1);
  const auto texts = read_all(spool, true);
  CHECK(texts.front() == "record 0");
  CHECK(texts[1] == "record 5");
  CHECK(spool.has_lost());
  CHECK(std::filesystem::exists(path + ".damaged"));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("what is damaged while it is in use is set aside at once", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  append(spool, "first");
  append(spool, "second");
  const auto path = only_segment(directory);
  auto text = read_text(path);
  text[12 + 5 + 12] ^= 1;  // in the second record
  write_text(path, text);
  const auto first = spool.read_next();
  REQUIRE(first);
  REQUIRE(spool.on_settled(first->segment));
  CHECK_FALSE(spool.has_lost());
  const auto second = spool.read_next();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::corrupt);
  CHECK(spool.has_lost());
  CHECK_FALSE(spool.has_unread());
  CHECK(read_text(path + ".damaged") == text);
  CHECK_FALSE(std::filesystem::exists(path));
  append(spool, "third");
  CHECK(read_all(spool, true) == std::vector<std::string>{"third"});
}

TEST_CASE("a read error is not taken for damage: the record can be read later", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  append(spool, "first");
  const auto path = only_segment(directory);
  const auto text = read_text(path);
  write_text(path, "");  // as short as nobody left it: read_part() says so
  const auto failed = spool.read_next();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::io);
  CHECK(spool.unread() == 1);
  write_text(path, text);
  CHECK(read_all(spool, true) == std::vector<std::string>{"first"});
}

TEST_CASE("the spool is bounded and belongs to one process", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  CHECK(spool.has_room(900));
  CHECK_FALSE(spool.has_room(1000));
  append(spool, std::string(600, 'x'));
  CHECK_FALSE(spool.has_room(500));
  std::vector<std::string> notes;
  const auto second = Spool::open(options(directory), notes);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::invalid_argument);
}
