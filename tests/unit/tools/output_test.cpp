// SPDX-License-Identifier: Apache-2.0
//
// Output into a pipe whose reader may be gone.
#include "tools/common/output.hpp"

#include <array>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>

using ringcast::tools::ExitCode;
using ringcast::tools::Output;

namespace {

std::string read_some(int fd) {
  std::array<char, 1024> text{};
  const auto count = read(fd, text.data(), text.size());
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : std::string{};
}

}  // namespace

TEST_CASE("output: output is held back until it is flushed") {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_NONBLOCK) == 0);
  Output output("test", ends[1]);
  output.buffer() += "hello\n";
  output.settle();
  CHECK(read_some(ends[0]).empty());
  output.flush();
  CHECK(read_some(ends[0]) == "hello\n");
  CHECK(output.finish() == ExitCode::done);
  (void)close(ends[0]);
  (void)close(ends[1]);
}

TEST_CASE("output: a reader that went away is no error, and the rest is dropped") {
  (void)signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  (void)close(ends[0]);
  Output output("test", ends[1]);
  output.buffer() += "hello\n";
  output.flush();
  CHECK(output.reader_gone());
  output.buffer() += "more\n";
  output.flush();
  CHECK(output.buffer().empty());
  CHECK(output.finish() == ExitCode::done);
  (void)close(ends[1]);
}

TEST_CASE("output: what cannot be written is a failure") {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  Output output("test", full);
  output.buffer() += "hello\n";
  output.flush();
  CHECK(output.is_over());
  CHECK(output.finish() == ExitCode::failed);
  (void)close(full);
}
