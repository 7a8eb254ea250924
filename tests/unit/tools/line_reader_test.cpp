// SPDX-License-Identifier: Apache-2.0
//
// Lines from a descriptor, however the bytes arrive.
#include "tools/common/line_reader.hpp"

#include <array>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

using ringcast::tools::LineReader;

namespace {

class Pipe {
 public:
  Pipe() { REQUIRE(pipe(ends_.data()) == 0); }
  ~Pipe() {
    close_writer();
    (void)close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int reader() const { return ends_[0]; }
  void put(std::string_view text) {
    REQUIRE(write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (ends_[1] >= 0) (void)close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

std::vector<std::string> lines_here(LineReader& reader) {
  std::vector<std::string> lines;
  for (;;) {
    auto line = reader.next();
    REQUIRE(line.ok());
    if (!line->has_value()) return lines;
    lines.emplace_back(**line);
  }
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "line reader: lines come out without their newline, the last one also without having one") {
  Pipe pipe;
  LineReader reader(pipe.reader(), 100);
  pipe.put("one\n\ntwo\r\nlast");
  REQUIRE(reader.fill().ok());
  CHECK(lines_here(reader) == Lines{"one", "", "two\r"});
  CHECK_FALSE(reader.at_end());
  pipe.close_writer();
  REQUIRE(reader.fill().ok());
  CHECK(lines_here(reader) == Lines{"last"});
  CHECK(reader.at_end());
}

TEST_CASE("line reader: a line may arrive byte by byte, and the input may end after a newline") {
  Pipe pipe;
  LineReader reader(pipe.reader(), 100);
  Lines lines;
  for (const char byte : std::string_view("ab\nc\0d\n", 7)) {
    pipe.put({&byte, 1});
    REQUIRE(reader.fill().ok());
    for (auto& line : lines_here(reader)) {
      lines.push_back(line);
    }
  }
  pipe.close_writer();
  REQUIRE(reader.fill().ok());
  CHECK(lines_here(reader).empty());
  CHECK(reader.at_end());
  CHECK(lines == Lines{"ab", std::string("c\0d", 3)});
}

TEST_CASE("line reader: an empty input has no line") {
  Pipe pipe;
  LineReader reader(pipe.reader(), 100);
  pipe.close_writer();
  REQUIRE(reader.fill().ok());
  CHECK(lines_here(reader).empty());
  CHECK(reader.at_end());
}

TEST_CASE("line reader: a line may be as long as the limit and not a byte longer") {
  Pipe pipe;
  LineReader reader(pipe.reader(), 4);
  pipe.put("1234\n");
  REQUIRE(reader.fill().ok());
  CHECK(lines_here(reader) == Lines{"1234"});
  pipe.put("12345\n");
  REQUIRE(reader.fill().ok());
  const auto line = reader.next();
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().code == ringcast::Errc::too_large);
  CHECK(line.error().message.find("line 2 is 5 bytes") == 0);
  CHECK(line.error().message.find("4 bytes: split it") != std::string::npos);
}

TEST_CASE("line reader: a line without end is refused as soon as it is too long") {
  Pipe pipe;
  LineReader reader(pipe.reader(), 4);
  pipe.put("123456");
  REQUIRE(reader.fill().ok());
  const auto line = reader.next();
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().message.find("line 1 is more than 6 bytes") == 0);
}

TEST_CASE("line reader: a descriptor that cannot be read is an error") {
  LineReader reader(-1, 4);
  const auto filled = reader.fill();
  REQUIRE_FALSE(filled.ok());
  CHECK(filled.error().code == ringcast::Errc::io);
}
