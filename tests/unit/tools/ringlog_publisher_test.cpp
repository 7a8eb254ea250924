// SPDX-License-Identifier: Apache-2.0
//
// Publisher: a whole ringlog-publish that follows a file, against a daemon that says what the
// test wants, and with what code it ends.
#include <chrono>
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/tools/running.hpp"
#include "tools/ringlog-publish/publisher.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;
using tools::ExitCode;

namespace {

using RunningPublisher = Running<Publisher, PublisherOptions>;

PublisherOptions options_for(const FakeDaemon& daemon, const TemporaryDirectory& directory) {
  PublisherOptions options;
  options.daemons.emplace_back().socket = daemon.path();
  options.group = "weblogs";
  options.name = "web1";
  options.patterns = {directory / "access.log"};
  options.state_directory = directory / "state";
  options.flush_timeout = 0ms;
  return options;
}

bool refuse_version(FakeDaemon& daemon) {
  return daemon.accept() && daemon.hear_a<HelloRequest>() && daemon.say([](ByteWriter& out) {
    encode_closed(out, Error{Errc::unsupported_version, "we are too far apart"});
  });
}

/// The publisher has read its line: it has published it.
bool hear_line(FakeDaemon& daemon) { return daemon.hear_a<SendRequest>().has_value(); }

}  // namespace

TEST_CASE("a daemon of another version is a failure, whatever could be read again", "[ringlog]") {
  for (const bool once : {false, true}) {
    const TemporaryDirectory directory;
    write_text(directory / "access.log", "line\n");
    FakeDaemon daemon;
    auto options = options_for(daemon, directory);
    options.once = once;
    RunningPublisher publisher(options);
    REQUIRE(refuse_version(daemon));
    CHECK(publisher.wait() == ExitCode::failed);
  }
}

TEST_CASE("stopped with lines that are still in their file nothing is lost", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "line\n");
  FakeDaemon daemon;
  RunningPublisher publisher(options_for(daemon, directory));
  REQUIRE(daemon.greet());
  REQUIRE(hear_line(daemon));
  daemon.hang_up();
  CHECK(publisher.end() == ExitCode::done);
}

TEST_CASE("stopped with lines that cannot be read again some are lost", "[ringlog]") {
  for (const bool deleted : {false, true}) {
    const TemporaryDirectory directory;
    write_text(directory / "access.log", "line\n");
    FakeDaemon daemon;
    RunningPublisher publisher(options_for(daemon, directory));
    REQUIRE(daemon.greet());
    REQUIRE(hear_line(daemon));
    if (deleted) {
      std::filesystem::remove(directory / "access.log");
    } else {
      write_text(directory / "access.log", "");
    }
    daemon.hang_up();
    CHECK(publisher.end() == ExitCode::failed);
  }
}

TEST_CASE("the time limit holds without a daemon too", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "line\n");
  FakeDaemon daemon;
  daemon.vanish();
  auto options = options_for(daemon, directory);
  options.once = true;
  options.connect_timeout = 1h;
  options.timeout = 0ms;
  RunningPublisher publisher(options);
  CHECK(publisher.wait() == ExitCode::unreachable);
}

TEST_CASE("once, where it cannot be saved how far files are read, is a failure", "[ringlog]") {
  const TemporaryDirectory directory;
  write_text(directory / "access.log", "line\n");
  std::filesystem::create_directories(directory / "state/tail-weblogs.json.new");  // in the way
  FakeDaemon daemon;
  auto options = options_for(daemon, directory);
  options.once = true;
  RunningPublisher publisher(options);
  CHECK(publisher.wait() == ExitCode::failed);
}
