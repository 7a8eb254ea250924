// SPDX-License-Identifier: Apache-2.0
//
// In which turn clients are read.
#include "daemon/session_server.hpp"

#include <array>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

/// A server whose clients all have something to read.
class Crowd {
 public:
  explicit Crowd(std::uint64_t count)
      : server_(
            io_,
            SessionServer::Hooks{
                .wake = [this] { ++woken_; }, .count = [](std::string_view, std::uint64_t) {}}) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      std::array<int, 2> ends{};
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
      clients_.push_back(ends[0]);
      REQUIRE(server_.adopt(SessionId{i}, {.descriptor = ends[1], .tcp = false}));
      REQUIRE(::write(ends[0], "x", 1) == 1);
      io_.restart();
      while (woken_ < i) {
        REQUIRE(io_.run_one() == 1);
      }
    }
  }
  ~Crowd() {
    server_.close_all();
    for (const int client : clients_) {
      (void)::close(client);
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  Crowd(Crowd&&) = delete;
  Crowd& operator=(Crowd&&) = delete;

  /// Who is next, in turn, while there is room for `room` of them; the others pause.
  std::vector<std::uint64_t> serve(std::size_t room) {
    std::vector<std::uint64_t> served;
    std::size_t waiting = clients_.size();
    while (waiting-- > 0) {
      const auto session = server_.next_readable();
      if (!session) break;
      if (served.size() == room) {
        server_.pause(*session);
      } else {
        served.push_back(session->value);
        server_.rest(*session, true);
      }
    }
    return served;
  }

  SessionServer& server() { return server_; }

  /// Everything that has been written to that client; it reads no more than is there.
  std::size_t read_all(std::uint64_t session) {
    std::vector<std::byte> space(std::size_t{1} << 20U);
    std::size_t total{0};
    for (;;) {
      const auto count = ::read(clients_[session - 1], space.data(), space.size());
      if (count <= 0) return total;
      total += static_cast<std::size_t>(count);
    }
  }

 private:
  asio::io_context io_{1};
  SessionServer server_;
  std::uint64_t woken_{0};
  std::vector<int> clients_;
};

bool anyone(SessionId) { return true; }

}  // namespace

TEST_CASE("with room for a few at a time all clients have their turn", "[session_server]") {
  using Served = std::vector<std::uint64_t>;
  Crowd crowd(5);
  CHECK(crowd.serve(2) == Served{1, 2});
  crowd.server().resume(anyone);
  CHECK(crowd.serve(2) == Served{3, 4});
  crowd.server().resume(anyone);
  CHECK(crowd.serve(2) == Served{5, 1});
}

TEST_CASE("who may not be read yet keeps its place", "[session_server]") {
  using Served = std::vector<std::uint64_t>;
  Crowd crowd(3);
  CHECK(crowd.serve(0).empty());
  crowd.server().resume([](SessionId session) { return session.value == 3; });
  CHECK(crowd.serve(1) == Served{3});
  crowd.server().forget(SessionId{1});
  crowd.server().resume(anyone);
  CHECK(crowd.serve(2) == Served{2, 3});
}

TEST_CASE("a client that reads within a turn is written to within the turn", "[session_server]") {
  constexpr std::size_t frame_bytes = 65536;
  Crowd crowd(1);
  const SessionId session{1};
  const auto offer = [&] {
    crowd.server().write(ClientWrite{session, BufferRef::allocate(frame_bytes)});
    std::size_t taken{0};
    for (const auto& flushed : crowd.server().flush()) {
      taken += flushed.count;
    }
    return taken;
  };
  std::size_t offered{1};
  while (offer() == frame_bytes) {
    ++offered;
    REQUIRE(offered < 1000);  // some time its socket is full
  }
  CHECK(offer() == 0);
  CHECK(crowd.read_all(1) > 0);
  CHECK(offer() > 0);
}

}  // namespace ringcast
