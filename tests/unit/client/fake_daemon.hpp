// SPDX-License-Identifier: Apache-2.0
//
// FakeDaemon: a listening unix socket in a directory of its own, or a port of the loopback, and
// the daemon's end of one session at a time. With RINGCAST_FAKE_DAEMON_MEMORY in the environment it
// accepts the memory that clients offer: all tests of the client pass either way. The client under
// test runs in the test's thread; what must happen while it blocks runs in a Meanwhile. Its own
// waits are bounded, so a broken client fails a test instead of hanging it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ringcast/client.hpp"

#include "local/session_memory.hpp"
#include "protocol/session/frames.hpp"
#include "tests/unit/temporary_directory.hpp"

namespace ringcast {

/// Runs a function beside the test until the end of the scope.
class Meanwhile {
 public:
  explicit Meanwhile(std::function<void()> work) : thread_(std::move(work)) {}
  ~Meanwhile() { thread_.join(); }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;
  Meanwhile(Meanwhile&&) = delete;
  Meanwhile& operator=(Meanwhile&&) = delete;

 private:
  std::thread thread_;
};

class FakeDaemon {
 public:
  FakeDaemon();
  /// Listens at a free TCP port of 127.0.0.1.
  struct Tcp {};
  explicit FakeDaemon(Tcp tcp);
  ~FakeDaemon();
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  FakeDaemon(FakeDaemon&&) = delete;
  FakeDaemon& operator=(FakeDaemon&&) = delete;

  static bool shares_memory();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] ClientOptions options() const;
  static WelcomeInfo welcome();

  /// Accepts one client; with greet() also takes its hello and welcomes it.
  bool accept();
  bool greet(const WelcomeInfo& info = welcome());
  /// A client that has been welcomed.
  Client meet(ClientOptions options);
  void hang_up();
  /// Removes the socket, so that connecting fails.
  void vanish();

  /// Writes all of it, waiting as long as the client reads on.
  bool send(std::span<const std::byte> bytes);
  template <class Encode>
  bool say(Encode encode) {
    ByteWriter out;
    encode(out);
    return send(out.view());
  }
  bool say_message(std::string_view payload);
  bool say_closed(Errc code, std::string_view why);
  /// Hears requests up to a goodbye, which it answers; how many publishes there were before it.
  std::size_t hear_goodbye();

  /// The next request; its payload stays valid until the next call. Nothing at the end of
  /// the stream.
  std::optional<ClientRequest> hear();
  template <class T>
  std::optional<T> hear_a() {
    auto request = hear();
    if (!request || !std::holds_alternative<T>(*request)) return std::nullopt;
    return std::get<T>(std::move(*request));
  }

 private:
  bool fill();
  bool take(std::span<const std::byte> bytes);
  bool fill_from_memory();
  bool send_to_memory(std::span<const std::byte> bytes);

  std::optional<TemporaryDirectory> directory_;
  std::string path_;
  std::uint16_t port_{0};
  int listener_{-1};
  int fd_{-1};
  bool is_first_{false};  ///< nothing was received from that client yet
  std::optional<SessionMemory> memory_;
  std::vector<std::byte> input_;
  std::size_t consumed_{0};
};

inline Client::Deadline soon() { return Client::Clock::now() + std::chrono::seconds{20}; }
inline Client::Deadline at_once() { return Client::Clock::now(); }

}  // namespace ringcast
