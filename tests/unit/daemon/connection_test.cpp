// SPDX-License-Identifier: Apache-2.0
//
// What a client's socket gets of frames in one piece and in two, read slowly and at the end.
#include "daemon/connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

using Kind = ClientConnection::Kind;

class Pair {
 public:
  explicit Pair(Kind kind) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    client_ = ends[0];
    connection_.emplace(io_, ends[1], kind);
    if (kind == Kind::local_memory) offer();
  }
  ~Pair() { (void)::close(client_); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  Pair(Pair&&) = delete;
  Pair& operator=(Pair&&) = delete;

  ClientConnection& connection() { return *connection_; }

  /// Writes and reads until all has come.
  std::string drain() {
    std::string all;
    std::string space(65536, ' ');
    for (;;) {
      (void)connection_->flush();
      const auto count = memory_ ? take(space) : ::recv(client_, space.data(), space.size(), 0);
      if (count <= 0) break;
      all.append(space, 0, static_cast<std::size_t>(count));
    }
    REQUIRE_FALSE(connection_->has_output());
    return all;
  }

 private:
  /// As a client does with its first bytes.
  void offer() {
    auto offer = SessionMemory::make();
    REQUIRE(offer);
    std::byte hello{1};
    std::array pieces{iovec{.iov_base = &hello, .iov_len = 1}};
    REQUIRE(send_with_descriptor(client_, pieces, offer->descriptor.number()) == 1);
    std::array<std::byte, 16> space{};
    REQUIRE(connection_->read(space).count == 1);
    REQUIRE(connection_->has_bells());
    REQUIRE(offer->memory.accepted());
    memory_ = std::move(offer->memory);
  }

  ssize_t take(std::span<char> space) {
    const auto readable = memory_->in().readable();
    const auto count = std::min(readable.size(), space.size());
    std::memcpy(space.data(), readable.data(), count);
    if (memory_->in().take(count)) REQUIRE(ring_bell(client_));
    return static_cast<ssize_t>(count);
  }

  std::optional<SessionMemory> memory_;
  asio::io_context io_;
  int client_{-1};
  std::optional<ClientConnection> connection_;
};

/// A letter for its number, in one piece or two.
std::string text_of(std::size_t number, std::size_t bytes) {
  return std::string(bytes, static_cast<char>('a' + number % 26));
}

BufferChain frame_of(const std::string& text, std::size_t head) {
  const std::string_view view(text);
  if (head >= text.size()) return BufferRef::copy_of(view);
  BufferChain frame(BufferRef::copy_of(view.substr(0, head)));
  frame.append(BufferRef::copy_of(view.substr(head)));
  return frame;
}

}  // namespace

TEST_CASE("frames in two pieces arrive as they are", "[connection]") {
  Pair pair(GENERATE(Kind::local, Kind::local_memory));
  std::string sent;
  for (std::size_t i = 0; i < 500; ++i) {
    const auto text = text_of(i, 1 + i * 37 % 40000);
    sent += text;
    pair.connection().enqueue(frame_of(text, 1 + i * 11 % 60));
  }
  CHECK(pair.drain() == sent);
}

TEST_CASE("at the end whole frames remain: the one begun and the last", "[connection]") {
  const auto kind = GENERATE(Kind::local, Kind::local_memory);
  for (std::size_t bytes = 16000; bytes < 16400; bytes += 13) {
    CAPTURE(bytes);
    Pair pair(kind);
    constexpr std::size_t count = 100;
    for (std::size_t i = 0; i < count; ++i) {
      pair.connection().enqueue(frame_of(text_of(i, bytes), i % 3 == 0 ? bytes : 40));
    }
    while (!pair.connection().flush().blocked) {
    }
    pair.connection().keep_last_words();
    const auto got = pair.drain();
    REQUIRE(got.size() % bytes == 0);
    const auto whole = got.size() / bytes;
    REQUIRE(whole >= 2);
    REQUIRE(whole < count);
    for (std::size_t i = 0; i + 1 < whole; ++i) {
      REQUIRE(got.substr(i * bytes, bytes) == text_of(i, bytes));
    }
    CHECK(got.substr((whole - 1) * bytes) == text_of(count - 1, bytes));
  }
}

TEST_CASE(
    "a client that offers no memory, or after its first bytes, goes on without", "[connection]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const Descriptor client(ends[0]);
  asio::io_context io;
  ClientConnection connection(io, ends[1], GENERATE(Kind::local, Kind::local_memory));
  const auto offer = SessionMemory::make();
  REQUIRE(offer);
  std::byte byte{1};
  std::array pieces{iovec{.iov_base = &byte, .iov_len = 1}};
  std::array<std::byte, 16> space{};
  const bool is_late = GENERATE(true, false);
  if (is_late) {
    REQUIRE(::send(client.number(), &byte, 1, 0) == 1);
    REQUIRE(connection.read(space).count == 1);
  }
  const int passed = is_late ? offer->descriptor.number() : STDERR_FILENO;
  REQUIRE(send_with_descriptor(client.number(), pieces, passed) == 1);
  CHECK(connection.read(space).count == 1);
  CHECK_FALSE(connection.has_bells());
  CHECK_FALSE(offer->memory.accepted());
  connection.enqueue(frame_of("frame", 5));
  CHECK(connection.flush().count == 5);
  CHECK(::recv(client.number(), space.data(), space.size(), MSG_DONTWAIT) == 5);
}

}  // namespace ringcast
