// SPDX-License-Identifier: Apache-2.0
//
// Bytes through a pipe in memory: in order, by two threads that sleep and wake each other, and with
// another side that breaks the rules.
#include <array>
#include <cstring>
#include <limits>
#include <poll.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

#include "local/session_memory.hpp"

namespace ringcast {
namespace {

constexpr std::size_t pipe_bytes = 4096;

/// A pipe in this process's memory. It is not mapped twice: what wraps around is copied behind.
class Pipe {
 public:
  PipeState& state() { return state_; }
  PipeWriter& writer() { return writer_; }
  PipeReader& reader() { return reader_; }

 private:
  PipeState state_;
  std::vector<std::byte> bytes_{2 * pipe_bytes};
  PipeWriter writer_{state_, std::span{bytes_}.first(pipe_bytes)};
  PipeReader reader_{state_, std::span{bytes_}.first(pipe_bytes)};
};

/// Both ends of a session's memory, and a socket for its bells.
class Ends {
 public:
  Ends() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets_.data()) == 0);
    auto offer = SessionMemory::make();
    REQUIRE(offer);
    daemon_ = SessionMemory::accept(offer->descriptor);
    REQUIRE(daemon_);
    client_ = std::move(offer->memory);
  }
  ~Ends() {
    (void)::close(sockets_[0]);
    (void)::close(sockets_[1]);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  Ends(Ends&&) = delete;
  Ends& operator=(Ends&&) = delete;

  SessionMemory& client() { return *client_; }
  SessionMemory& daemon() { return *daemon_; }
  [[nodiscard]] int client_socket() const { return sockets_[0]; }
  [[nodiscard]] int daemon_socket() const { return sockets_[1]; }

 private:
  std::array<int, 2> sockets_{-1, -1};
  std::optional<SessionMemory> client_;
  std::optional<SessionMemory> daemon_;
};

/// False when nobody rings in time.
bool wait_for_bell(int socket) {
  pollfd entry{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 20000) == 1 && answer_bells(socket);
}

std::byte byte_at(std::uint64_t position) {
  return static_cast<std::byte>(position * 0x9e3779b97f4a7c15ULL >> 56U);
}

bool write_all(PipeWriter& out, int socket, std::uint64_t total, std::minstd_rand& random) {
  std::vector<std::byte> piece;
  std::uint64_t written = 0;
  while (written < total) {
    piece.resize(std::min<std::uint64_t>(1 + random() % 100000, total - written));
    for (std::size_t i = 0; i < piece.size(); ++i) {
      piece[i] = byte_at(written + i);
    }
    std::span<const std::byte> left(piece);
    while (!left.empty()) {
      const auto count = out.add(left);
      left = left.subspan(count);
      if (count > 0 && out.publish() && !ring_bell(socket)) return false;
      if (count == 0 && out.sleep() && !wait_for_bell(socket)) return false;
    }
    written += piece.size();
  }
  return true;
}

/// How many came as they should.
std::uint64_t read_all(PipeReader& in, int socket, std::uint64_t total, std::minstd_rand& random) {
  std::uint64_t read = 0;
  while (read < total) {
    const auto bytes = in.readable();
    if (bytes.empty()) {
      if (in.sleep() && !wait_for_bell(socket)) return read;
      continue;
    }
    const auto count = std::min<std::size_t>(bytes.size(), 1 + random() % 100000);
    for (std::size_t i = 0; i < count; ++i) {
      if (bytes[i] != byte_at(read + i)) return read + i;
    }
    if (in.take(count) && !ring_bell(socket)) return read;
    read += count;
  }
  return read;
}

}  // namespace

TEST_CASE("what was added is there when it is published", "[local]") {
  Pipe pipe;
  const std::string text = "a frame";
  CHECK(pipe.writer().add(std::as_bytes(std::span{text})) == text.size());
  CHECK(pipe.reader().readable().empty());
  CHECK_FALSE(pipe.writer().publish());
  const auto there = pipe.reader().readable();
  REQUIRE(there.size() == text.size());
  CHECK(std::memcmp(there.data(), text.data(), text.size()) == 0);
  CHECK_FALSE(pipe.reader().take(2));
  CHECK(pipe.reader().readable().size() == text.size() - 2);
}

TEST_CASE("who falls asleep is woken once, and not when there is something to do", "[local]") {
  Pipe pipe;
  const std::array<std::byte, pipe_bytes> full{};
  REQUIRE(pipe.reader().sleep());
  REQUIRE(pipe.writer().add(full) == pipe_bytes);
  CHECK(pipe.writer().publish());
  CHECK_FALSE(pipe.writer().publish());
  CHECK_FALSE(pipe.reader().sleep());
  CHECK(pipe.reader().sleep(pipe_bytes));  // what was seen is no reason to stay awake

  CHECK(pipe.writer().add(full) == 0);
  REQUIRE(pipe.writer().sleep());
  CHECK_FALSE(pipe.reader().take(pipe_bytes / 2 - 1));
  CHECK(pipe.reader().take(1));
  CHECK_FALSE(pipe.reader().take(1));
  CHECK_FALSE(pipe.writer().sleep());
  CHECK(pipe.writer().add(full) == pipe_bytes / 2 + 1);
}

TEST_CASE("positions that cannot be end a pipe and are not followed", "[local]") {
  const std::array<std::byte, 64> some{};
  for (const std::uint64_t wrong :
       {std::uint64_t{65}, pipe_bytes + 64, std::numeric_limits<std::uint64_t>::max()}) {
    CAPTURE(wrong);
    Pipe pipe;
    REQUIRE(pipe.writer().add(some) == some.size());
    (void)pipe.writer().publish();
    pipe.state().read.store(wrong);  // more than was written
    std::vector<std::byte> much(pipe_bytes);
    (void)pipe.writer().add(much);
    CHECK(pipe.writer().add(much) == 0);
    CHECK(pipe.writer().broken());
  }
  Pipe pipe;
  pipe.state().written.store(pipe_bytes + 1);  // more than there is room for
  CHECK(pipe.reader().readable().empty());
  CHECK(pipe.reader().broken());
  CHECK_FALSE(pipe.reader().sleep());
}

TEST_CASE("two threads pass bytes both ways and wake each other", "[local]") {
  constexpr std::uint64_t total = std::uint64_t{24} << 20U;
  Ends ends;
  bool written = false;
  std::uint64_t read_back = 0;
  std::thread daemon([&] {
    std::minstd_rand random(2);
    read_back = read_all(ends.daemon().in(), ends.daemon_socket(), total, random);
    written = write_all(ends.daemon().out(), ends.daemon_socket(), total, random);
  });
  std::minstd_rand random(1);
  const bool sent = write_all(ends.client().out(), ends.client_socket(), total, random);
  const auto read = read_all(ends.client().in(), ends.client_socket(), total, random);
  daemon.join();
  CHECK(sent);
  CHECK(read_back == total);
  CHECK(written);
  CHECK(read == total);
}

}  // namespace ringcast
