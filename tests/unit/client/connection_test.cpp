// SPDX-License-Identifier: Apache-2.0
//
// A connection to a daemon that shares memory: who is woken for what, and frames longer than the
// pipe.
#include "client/connection.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/session/frames.hpp"
#include "tests/unit/temporary_directory.hpp"

namespace ringcast {
namespace {

std::vector<std::byte> frame(std::size_t length, int number) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(length));
  std::vector<std::byte> made(out.view().begin(), out.view().end());
  made.resize(frame_length_bytes + length, static_cast<std::byte>(number));
  return made;
}

/// A connection, and the daemon's end of it.
class Session {
 public:
  Session() {
    const auto path = directory_ / "s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.copy(address.sun_path, sizeof(address.sun_path) - 1) == path.size());
    const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::bind(listener.number(), generic, sizeof(address)) == 0);
    REQUIRE(::listen(listener.number(), 1) == 0);
    ClientOptions options;
    options.socket = path;
    const auto addresses = resolve(options);
    REQUIRE(addresses);
    REQUIRE(connection_.open(addresses->front()));
    daemon_ = Descriptor(::accept(listener.number(), nullptr, nullptr));
    REQUIRE(connection_.send(std::array{std::byte{1}}, {}));
    std::array<std::byte, 16> space{};
    Descriptor offered;
    REQUIRE(receive_with_descriptor(daemon_.number(), space, offered) == 1);
    memory_ = SessionMemory::accept(offered);
    REQUIRE(memory_);
    const auto welcome = frame(1, 0);
    REQUIRE(write(welcome) == welcome.size());
    REQUIRE(*connection_.read() == Connection::Reading::some);
    REQUIRE(connection_.next_frame()->has_value());
    was_readable_ = rings();
    REQUIRE(*connection_.read() == Connection::Reading::nothing);
  }

  Connection& connection() { return connection_; }
  SessionMemory& daemon() { return *memory_; }

  /// What the pipe has room for; how much.
  std::size_t write(std::span<const std::byte> bytes) {
    const auto count = memory_->out().add(bytes);
    if (memory_->out().publish()) REQUIRE(ring_bell(daemon_.number()));
    return count;
  }
  /// Takes all that the client has written.
  std::size_t take() {
    const auto count = memory_->in().readable().size();
    if (memory_->in().take(count)) REQUIRE(ring_bell(daemon_.number()));
    return count;
  }
  void hang_up() { daemon_ = Descriptor{}; }
  /// After the first read of the welcome.
  [[nodiscard]] bool was_readable() const { return was_readable_; }
  /// That the socket tells the client to look.
  [[nodiscard]] bool rings() const {
    std::byte bell{};
    return ::recv(connection_.fd(), &bell, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }

 private:
  TemporaryDirectory directory_;
  Connection connection_;
  Descriptor daemon_;
  std::optional<SessionMemory> memory_;
  bool was_readable_{false};
};

/// The next frame has that length and that content.
bool next_is(Connection& connection, std::size_t length, int number) {
  const auto next = connection.next_frame();
  if (!next || !next->has_value() || (**next).size() != length) return false;
  return std::all_of((**next).begin(), (**next).end(), [number](std::byte byte) {
    return byte == static_cast<std::byte>(number);
  });
}

}  // namespace

TEST_CASE("a bell for the writer that the reader hears is not lost", "[local]") {
  Session session;
  auto& connection = session.connection();
  const std::vector<std::byte> much(2 * to_daemon_pipe_bytes);
  const auto left = connection.send(much, {});
  REQUIRE(left);
  CHECK(connection.unwritten() == to_daemon_pipe_bytes);
  CHECK(connection.blocked());
  CHECK_FALSE(connection.waits_to_write());
  CHECK(session.take() == to_daemon_pipe_bytes);
  CHECK(session.rings());
  CHECK(*connection.read() == Connection::Reading::nothing);
  CHECK_FALSE(session.rings());
  CHECK(connection.waits_to_write());  // so nobody sleeps until it rings again
  REQUIRE(connection.flush());
  CHECK(session.take() == to_daemon_pipe_bytes);
}

TEST_CASE("a reader that is told of a frame later hears a bell then", "[local]") {
  Session session;
  auto& connection = session.connection();
  const auto first = frame(10, 1);
  REQUIRE(session.write(first) == first.size());
  CHECK(session.rings());
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(next_is(connection, 10, 1));
  CHECK_FALSE(connection.has_frame());  // from here on the program sleeps
  while (session.rings()) {
    CHECK(*connection.read() == Connection::Reading::nothing);
  }
  const auto second = frame(20, 2);
  REQUIRE(session.write(std::span{second}.first(7)) == 7);
  CHECK(session.rings());
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK_FALSE(connection.next_frame()->has_value());
  CHECK(*connection.read() == Connection::Reading::nothing);
  CHECK_FALSE(session.rings());
  REQUIRE(session.write(std::span{second}.subspan(7)) == second.size() - 7);
  CHECK(session.rings());
  CHECK(connection.has_frame());
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(next_is(connection, 20, 2));
}

TEST_CASE("frames of any length come through the pipe, between others", "[local]") {
  Session session;
  auto& connection = session.connection();
  constexpr auto half = to_client_pipe_bytes / 2;
  const std::vector<std::size_t> lengths{
      1,
      half - 4,
      half - 3,
      100,
      to_client_pipe_bytes - 5,
      to_client_pipe_bytes,
      3,
      half,
      5 << 20U,
      1,
      half - 4};
  std::vector<std::byte> stream;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto made = frame(lengths[i], static_cast<int>(i));
    stream.insert(stream.end(), made.begin(), made.end());
  }
  std::span<const std::byte> left(stream);
  std::size_t heard = 0;
  for (int idle = 0; heard < lengths.size() && idle < 3; ++idle) {
    const auto written = session.write(left.first(std::min<std::size_t>(left.size(), 70001)));
    left = left.subspan(written);
    auto reading = connection.read();
    REQUIRE(reading);
    if (written > 0 || *reading == Connection::Reading::some) idle = 0;
    while (heard < lengths.size() && next_is(connection, lengths[heard], static_cast<int>(heard))) {
      ++heard;
    }
  }
  CHECK(heard == lengths.size());
  CHECK(left.empty());
}

TEST_CASE("what lies behind a frame longer than half of the pipe stays there", "[local]") {
  Session session;
  auto& connection = session.connection();
  const auto length = to_client_pipe_bytes / 2 + static_cast<std::size_t>(GENERATE(0, 1000, 90000));
  const auto behind = GENERATE(2, 10, 3000);
  CAPTURE(length, behind);
  const auto longer = frame(length, 1);
  const auto next = frame(3000, 2);
  const auto first_part = std::span{next}.first(static_cast<std::size_t>(behind));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(session.write(longer) == longer.size());
    REQUIRE(session.write(first_part) == first_part.size());
    CHECK(*connection.read() == Connection::Reading::some);
    CHECK(next_is(connection, length, 1));
    CHECK_FALSE(connection.next_frame()->has_value());
    REQUIRE(
        session.write(std::span{next}.subspan(first_part.size())) ==
        next.size() - first_part.size());
    CHECK(*connection.read() == Connection::Reading::some);
    CHECK(next_is(connection, 3000, 2));
    CHECK_FALSE(connection.next_frame()->has_value());
  }
}

TEST_CASE("after a read that found something nobody sleeps before the next", "[local]") {
  Session session;
  auto& connection = session.connection();
  CHECK_FALSE(connection.must_read());
  const auto made = frame(10, 1);
  REQUIRE(session.write(made) == made.size());
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(connection.must_read());
  REQUIRE(session.write(made) == made.size());  // between the two: it rings nobody
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(connection.must_read());
  CHECK(*connection.read() == Connection::Reading::nothing);
  CHECK_FALSE(connection.must_read());
}

TEST_CASE("a program that is about to sleep keeps no room from the daemon", "[local]") {
  Session session;
  auto& connection = session.connection();
  const auto small = frame(10, 1);
  const auto longer = frame(5 << 20U, 2);
  REQUIRE(session.write(small) == small.size());
  auto written = session.write(longer);
  CHECK(written == to_client_pipe_bytes - small.size());
  CHECK(session.daemon().out().sleep());
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(next_is(connection, 10, 1));
  while (written < longer.size()) {
    while (connection.has_frame()) {
      REQUIRE(connection.read());
      REQUIRE_FALSE(connection.next_frame()->has_value());
    }
    const auto more = session.write(std::span{longer}.subspan(written));
    REQUIRE(more > 0);
    written += more;
  }
  CHECK(connection.has_frame());
  while (*connection.read() == Connection::Reading::some) {
  }
  CHECK(next_is(connection, 5 << 20U, 2));
}

TEST_CASE(
    "a program that never looked is told by the socket of what came with the welcome", "[local]") {
  Session session;
  CHECK(session.was_readable());
}

TEST_CASE("what a daemon wrote before it hung up is read before the end", "[local]") {
  Session session;
  const auto made = frame(10, 1);
  REQUIRE(session.write(made) == made.size());
  session.hang_up();
  auto& connection = session.connection();
  CHECK(*connection.read() == Connection::Reading::some);
  CHECK(next_is(connection, 10, 1));
  CHECK(*connection.read() == Connection::Reading::nothing);  // but a bell
  CHECK(*connection.read() == Connection::Reading::ended);
}

}  // namespace ringcast
