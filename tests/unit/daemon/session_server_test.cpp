// SPDX-License-Identifier: Apache-2.0
//
// In which turn clients are read, whom there is room for, and whose socket is removed.
#include "daemon/session_server.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"

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

/// A server that listens at a unix socket.
class Door {
 public:
  explicit Door(std::string path)
      : path_(std::move(path)),
        server_(
            io_,
            SessionServer::Hooks{
                .wake = [] {}, .count = [this](std::string_view, std::uint64_t) { ++refused_; }}) {
    SessionServerOptions options;
    options.socket = path_;
    REQUIRE_FALSE(server_.open(options));
  }
  ~Door() {
    for (const int fd : fds_) {
      (void)::close(fd);
    }
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  Door(Door&&) = delete;
  Door& operator=(Door&&) = delete;

  /// One more client; false when it was not let in.
  bool let_in() {
    const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(client != -1);
    fds_.push_back(client);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.copy(address.sun_path, sizeof(address.sun_path) - 1) == path_.size());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::connect(client, generic, sizeof(address)) == 0);
    io_.restart();
    (void)io_.poll();  // somebody waits
    const auto accepted = server_.accept();
    if (accepted) fds_.push_back(accepted->descriptor);
    return accepted.has_value();
  }
  SessionServer& server() { return server_; }
  [[nodiscard]] int refused() const { return refused_; }

 private:
  std::string path_;
  asio::io_context io_{1};
  SessionServer server_;
  int refused_{0};
  std::vector<int> fds_;
};

/// A server, and a client of it that shares memory.
class Neighbour {
 public:
  enum class Then : std::uint8_t { rest, pass_over };
  explicit Neighbour(const std::string& path, Then then = Then::rest)
      : server_(
            io_,
            SessionServer::Hooks{.wake = [] {}, .count = [](std::string_view, std::uint64_t) {}}) {
    SessionServerOptions options;
    options.socket = path;
    REQUIRE_FALSE(server_.open(options));
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    socket_ = Descriptor(ends[0]);
    REQUIRE(server_.adopt(session, {.descriptor = ends[1], .tcp = false}));
    auto offer = SessionMemory::make();
    REQUIRE(offer);
    std::byte hello{1};
    std::array pieces{iovec{.iov_base = &hello, .iov_len = 1}};
    REQUIRE(send_with_descriptor(ends[0], pieces, offer->descriptor.number()) == 1);
    turn();
    REQUIRE(server_.next_readable() == session);
    REQUIRE(read() == 1);
    REQUIRE(offer->memory.accepted());
    memory_ = std::move(offer->memory);
    if (then == Then::rest) {
      server_.rest(session, false);
    } else {  // its first bytes held more than may be taken
      server_.rest(session, true);
      REQUIRE(server_.next_readable() == session);
      server_.pause(session);
    }
  }
  ~Neighbour() { server_.close_all(); }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  Neighbour(Neighbour&&) = delete;
  Neighbour& operator=(Neighbour&&) = delete;

  static constexpr SessionId session{1};

  SessionServer& server() { return server_; }
  SessionMemory& memory() { return *memory_; }
  /// What the sockets tell.
  void turn() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  std::size_t read() { return server_.read(session, space_).count; }
  bool write(std::string_view text) {
    REQUIRE(memory_->out().add(std::as_bytes(std::span{text})) == text.size());
    return !memory_->out().publish() || ring_bell(socket_.number());
  }
  /// What was written to it and not taken.
  std::size_t take_all() {
    const auto count = memory_->in().readable().size();
    if (memory_->in().take(count)) REQUIRE(ring_bell(socket_.number()));
    return count;
  }
  /// Frames until some must wait; their bytes.
  std::size_t fill() {
    std::size_t offered = 0;
    for (std::size_t taken = 1; taken > 0;) {
      server_.write(ClientWrite{session, BufferRef::allocate(65536)});
      offered += 65536;
      taken = flush();
      REQUIRE(offered < std::size_t{64} << 20U);
    }
    return offered;
  }
  std::size_t flush() {
    std::size_t taken = 0;
    for (const auto& flushed : server_.flush()) {
      taken += flushed.count;
      gone_ = gone_ || flushed.closed;
    }
    return taken;
  }
  void end() { socket_ = Descriptor{}; }
  [[nodiscard]] bool gone() const { return gone_; }

 private:
  asio::io_context io_{1};
  SessionServer server_;
  Descriptor socket_;
  std::optional<SessionMemory> memory_;
  std::array<std::byte, 65536> space_{};
  bool gone_{false};
};

/// The process may have so many descriptors more than the lowest that is free.
class FewDescriptors {
 public:
  explicit FewDescriptors(int count) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int lowest = ::dup(STDIN_FILENO);
    REQUIRE(lowest >= 0);
    (void)::close(lowest);
    auto few = before_;
    few.rlim_cur = static_cast<rlim_t>(lowest) + static_cast<rlim_t>(count);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~FewDescriptors() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  FewDescriptors(FewDescriptors&&) = delete;
  FewDescriptors& operator=(FewDescriptors&&) = delete;

 private:
  rlimit before_{};
};

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

TEST_CASE("clients leave the daemon descriptors of its own", "[session_server]") {
  const TemporaryDirectory directory;
  const FewDescriptors few(40);
  Door door(directory / "s");
  int guests = 0;
  while (guests < 40 && door.let_in()) {
    ++guests;
  }
  CHECK(guests > 0);
  CHECK(guests < 40);
  CHECK(door.refused() == 1);
  write_text(directory / "state", "there is a descriptor left");
  CHECK_FALSE(read_text(directory / "state").empty());
}

TEST_CASE("the socket of another daemon at the same path is left alone", "[session_server]") {
  const TemporaryDirectory directory;
  const auto path = directory / "s";
  Door first(path);
  CHECK(first.let_in());
  std::filesystem::remove(path);
  Door second(path);
  first.server().stop_accepting();
  CHECK(second.let_in());
  second.server().stop_accepting();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a client with memory rings once when it writes and is read then", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s");
  client.turn();
  CHECK_FALSE(client.server().next_readable());
  CHECK(client.write("a frame"));
  CHECK_FALSE(client.memory().out().publish());  // it has rung for the first bytes
  client.turn();
  REQUIRE(client.server().next_readable() == Neighbour::session);
  CHECK(client.read() == 7);
  client.server().rest(Neighbour::session, false);
  CHECK_FALSE(client.server().next_readable());

  // What comes before the server sleeps needs no bell.
  CHECK(client.write("another"));
  client.turn();
  REQUIRE(client.server().next_readable() == Neighbour::session);
  CHECK(client.read() == 7);
  CHECK(client.write("and one"));
  client.server().rest(Neighbour::session, false);
  REQUIRE(client.server().next_readable() == Neighbour::session);
  CHECK(client.read() == 7);
}

TEST_CASE(
    "output that waits for a client with memory goes on when it has read", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s");
  const bool is_passed_over = GENERATE(false, true);
  CAPTURE(is_passed_over);
  if (is_passed_over) {
    CHECK(client.write("a request"));
    client.turn();
    REQUIRE(client.server().next_readable() == Neighbour::session);
    client.server().pause(Neighbour::session);
  }
  const auto offered = client.fill();
  auto got = client.take_all();
  while (got < offered) {
    client.turn();
    REQUIRE(client.flush() > 0);
    const auto more = client.take_all();
    REQUIRE(more > 0);
    got += more;
  }
  CHECK(got == offered);
  if (is_passed_over) {
    CHECK_FALSE(client.server().next_readable());
    client.server().resume(anyone);
    REQUIRE(client.server().next_readable() == Neighbour::session);
    CHECK(client.read() == 9);
  }
}

TEST_CASE("a client with memory that is passed over from the first is heard", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s", Neighbour::Then::pass_over);
  (void)client.fill();
  SECTION("when it has read") {
    REQUIRE(client.take_all() > 0);
    client.turn();
    CHECK(client.flush() > 0);
  }
  SECTION("when it is gone") {
    client.end();
    client.turn();
    (void)client.flush();
    CHECK(client.gone());
  }
}

TEST_CASE("a client with memory that is gone is read to its end", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s");
  CHECK(client.write("last words"));
  client.end();
  client.turn();
  REQUIRE(client.server().next_readable() == Neighbour::session);
  CHECK(client.read() == 10);
  client.server().rest(Neighbour::session, false);
  client.turn();
  REQUIRE(client.server().next_readable() == Neighbour::session);
  std::array<std::byte, 16> space{};
  CHECK(client.server().read(Neighbour::session, space).closed);
}

TEST_CASE("a client with memory that is gone is noticed by what waits for it", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s");
  CHECK(client.write("a request"));
  client.turn();
  REQUIRE(client.server().next_readable() == Neighbour::session);
  client.server().pause(Neighbour::session);  // nobody reads it
  (void)client.fill();
  REQUIRE_FALSE(client.gone());
  client.end();
  client.turn();
  (void)client.flush();
  CHECK(client.gone());
}

TEST_CASE("the last words to a client with memory wait for it to read", "[session_server]") {
  const TemporaryDirectory directory;
  Neighbour client(directory / "s");
  (void)client.fill();
  const std::string last_words = "this is why";
  client.server().write(
      ClientWrite{Neighbour::session, BufferRef::copy_of(std::string_view(last_words))});
  client.server().close(Neighbour::session);
  std::string got;
  for (int turns = 0; turns < 100 && !got.ends_with(last_words); ++turns) {
    client.turn();
    const auto readable = client.memory().in().readable();
    got.append(reinterpret_cast<const char*>(readable.data()), readable.size());
    (void)client.take_all();
  }
  CHECK(got.ends_with(last_words));
}

}  // namespace ringcast
