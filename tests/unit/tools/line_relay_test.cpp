// SPDX-License-Identifier: Apache-2.0
//
// LineRelay: writes without waiting, keeps what the pipe does not take, drops beyond.
#include "tools/mod_log_ringcast/line_relay.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

using namespace ringcast::ringlog;
using namespace std::chrono_literals;

namespace {

/// A pipe, its reader and a relay to it.
class Scene {
 public:
  explicit Scene(std::size_t buffer_bytes = std::size_t{1} << 20U) {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    LineRelay::Options options;
    options.pipe = ends_[1];
    options.buffer_bytes_max = buffer_bytes;
    options.report = [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(text);
    };
    relay_ = std::make_unique<LineRelay>(std::move(options));
  }
  ~Scene() {
    relay_.reset();
    if (ends_[0] >= 0) (void)::close(ends_[0]);
    (void)::close(ends_[1]);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  Scene(Scene&&) = delete;
  Scene& operator=(Scene&&) = delete;

  LineRelay& relay() { return *relay_; }
  void send(const std::string& line) {
    const std::array<std::string_view, 2> parts = {line, "\n"};
    relay_->send("g\n", parts);
  }
  /// The next packet's body, or nothing within the time.
  std::string receive(std::chrono::milliseconds patience = 5s) {
    for (;;) {
      if (const auto packet = frames_.next()) {
        REQUIRE(packet->size() > 2);
        REQUIRE(packet->substr(0, 2) == "g\n");
        return std::string(packet->substr(2));
      }
      pollfd readable{ends_[0], POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(patience.count())) != 1) return {};
      const auto room = frames_.room();
      const auto got = ::read(ends_[0], room.data(), room.size());
      REQUIRE(got > 0);
      frames_.added(static_cast<std::size_t>(got));
    }
  }
  void close_reader() {
    (void)::close(ends_[0]);
    ends_[0] = -1;
  }
  std::vector<std::string> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  PacketFrames frames_{packet_bytes_max};
  std::mutex mutex_;
  std::vector<std::string> reports_;
  std::unique_ptr<LineRelay> relay_;
};

}  // namespace

TEST_CASE("lines leave at once while the pipe takes them", "[ringlog]") {
  Scene scene;
  scene.send("one");
  scene.send("");
  CHECK(scene.receive() == "one\n");
  CHECK(scene.receive() == "\n");
  std::vector<std::string_view> many(200, "ab");
  scene.relay().send("g\n", many);
  CHECK(scene.receive().size() == 400);
  CHECK(scene.relay().close(0ms));
  CHECK(scene.reports().empty());
}

TEST_CASE("lines that the pipe does not take come later, in order", "[ringlog]") {
  Scene scene(std::size_t{64} << 20U);
  const std::string filler(2000, 'x');
  constexpr int lines = 2000;  // far more than the pipe takes
  for (int number = 0; number < lines; ++number) {
    scene.send(std::to_string(number) + filler);
  }
  for (int number = 0; number < lines; ++number) {
    REQUIRE(scene.receive() == std::to_string(number) + filler + "\n");
  }
  CHECK(scene.relay().dropped() == 0);
  CHECK(scene.relay().close(1s));
  CHECK(scene.reports().empty());
}

TEST_CASE("beyond the buffer the newest lines are dropped and a note tells how many", "[ringlog]") {
  Scene scene(std::size_t{64} << 10U);
  const std::string filler(2000, 'x');
  constexpr std::uint64_t lines = 2000;
  for (std::uint64_t number = 0; number < lines; ++number) {
    scene.send(std::to_string(number) + filler);
  }
  const auto dropped = scene.relay().dropped();
  REQUIRE(dropped > 0);
  std::uint64_t received = 0;
  auto body = scene.receive();
  for (; !parse_note(body); body = scene.receive()) {
    REQUIRE(body == std::to_string(received) + filler + "\n");
    ++received;
  }
  CHECK(parse_note(body)->lines == dropped);
  CHECK(parse_note(body)->bytes > dropped * filler.size());
  CHECK(received + dropped == lines);
  scene.send("after");
  CHECK(scene.receive() == "after\n");
  CHECK(scene.relay().close(1s));
  std::uint64_t told = 0;
  for (const auto& report : scene.reports()) {
    REQUIRE(report.starts_with("dropping lines, "));
    told += std::stoull(report.substr(16));
  }
  CHECK(told == dropped);
  CHECK(scene.reports().size() >= 2);  // at once, and the rest at the end
}

TEST_CASE("lines of many threads stay whole", "[ringlog]") {
  Scene scene(std::size_t{64} << 20U);
  constexpr int threads = 4;
  constexpr int lines = 500;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < threads; ++worker) {
    workers.emplace_back([&scene, worker] {
      for (int number = 0; number < lines; ++number) {
        scene.send(
            std::to_string(worker) + " " + std::to_string(number) + " " + std::string(5000, 'y'));
      }
    });
  }
  std::array<int, threads> next{};
  for (int count = 0; count < threads * lines; ++count) {
    const auto body = scene.receive();
    const auto worker = static_cast<std::size_t>(body.at(0) - '0');
    REQUIRE(worker < threads);
    REQUIRE(
        body == std::to_string(worker) + " " + std::to_string(next.at(worker)) + " " +
                    std::string(5000, 'y') + "\n");
    ++next.at(worker);
  }
  for (auto& worker : workers) {
    worker.join();
  }
}

TEST_CASE("a line beyond the limit is dropped with a note, the next one goes on", "[ringlog]") {
  Scene scene;
  scene.send(std::string(packet_text_bytes_max, 'z'));
  const auto note = parse_note(scene.receive());
  REQUIRE(note);
  CHECK(note->lines == 1);
  CHECK(note->bytes == packet_text_bytes_max + 1);
  scene.send("next");
  CHECK(scene.receive() == "next\n");
}

TEST_CASE("what does not leave before the end is reported", "[ringlog]") {
  Scene scene(std::size_t{64} << 20U);
  for (int number = 0; number < 2000; ++number) {
    scene.send(std::string(2000, 'x'));
  }
  const auto before = std::chrono::steady_clock::now();
  CHECK(scene.relay().close(0ms));
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  REQUIRE(scene.reports().size() == 1);
  CHECK(scene.reports().front().find("lines are lost") != std::string::npos);
}

TEST_CASE("a long line that has begun goes on however small the buffer", "[ringlog]") {
  Scene scene(std::size_t{64} << 10U);
  const std::string line(packet_text_bytes_max - 1, 'l');  // four times what the pipe takes
  scene.send(line);
  scene.send("dropped, since the buffer is over its limit");
  CHECK(scene.relay().dropped() == 1);
  CHECK(scene.receive() == line + "\n");
  const auto note = parse_note(scene.receive());
  REQUIRE(note);
  CHECK(note->lines == 1);
  scene.send("after");
  CHECK(scene.receive() == "after\n");
}

TEST_CASE("long and short lines of one thread stay in their order", "[ringlog]") {
  Scene scene(std::size_t{64} << 20U);
  constexpr std::size_t lines = 400;
  const auto line = [](std::size_t number) {
    return std::to_string(number) + " " + std::string(number % 3 == 0 ? 20000 : 100, 'm');
  };
  std::thread sender([&] {
    for (std::size_t number = 0; number < lines; ++number) {
      scene.send(line(number));
    }
  });
  for (std::size_t number = 0; number < lines; ++number) {
    REQUIRE(scene.receive() == line(number) + "\n");
  }
  sender.join();
}

TEST_CASE("a pipe that nobody reads any more drops lines", "[ringlog]") {
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  Scene scene;
  scene.close_reader();
  scene.send("one");
  scene.send("two");
  CHECK(scene.relay().dropped() == 2);
  CHECK(scene.relay().close(1s));
  (void)std::signal(SIGPIPE, before);
}
