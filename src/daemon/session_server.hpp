// SPDX-License-Identifier: Apache-2.0
//
// SessionServer: the sockets of all clients. It accepts them, knows which can be read, which
// wait for credit and which have output, and asks to be served by calling `wake`; the driver
// decides when. It never calls the node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include <asio.hpp>

#include "daemon/config.hpp"
#include "daemon/connection.hpp"
#include "daemon/logging.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/effects.hpp"

namespace ringcast {

struct SessionServerOptions {
  std::string socket;
  unsigned mode{0660};
  std::optional<SocketAddress> tcp;
  bool shared_memory{true};  ///< is accepted from clients
};

class SessionServer {
 public:
  struct Hooks {
    std::function<void()> wake;  ///< something is ready: have a turn soon
    std::function<void(std::string_view counter, std::uint64_t more)> count;
  };

  SessionServer(asio::io_context& io, Hooks hooks);
  ~SessionServer();
  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;
  SessionServer(SessionServer&&) = delete;
  SessionServer& operator=(SessionServer&&) = delete;

  /// Nothing on success.
  std::optional<SetupFailure> open(const SessionServerOptions& options);
  /// No new clients from now on; the socket's name is removed.
  void stop_accepting();
  /// Writes what the sockets take at once and closes all.
  void close_all();

  struct Accepted {
    int descriptor{-1};
    bool tcp{false};
  };
  /// The next client that waits to be let in.
  std::optional<Accepted> accept();
  /// False: the socket could not be watched and is closed.
  bool adopt(SessionId session, Accepted accepted);

  /// The next client with something to read, in turn. Follow with read() and rest(), or pause().
  std::optional<SessionId> next_readable();
  ClientConnection::Read read(SessionId session, std::span<std::byte> space);
  /// Goes on with the client: at once when there may be `more`, else when its socket wakes us.
  void rest(SessionId session, bool more);
  /// Does not look at the client's socket until resume() finds that it may be read again.
  void pause(SessionId session);
  /// Who was passed over is the next to be read: with room for a few at a time, all have
  /// their turn.
  void resume(const std::function<bool(SessionId)>& may_read);

  void write(ClientWrite write);
  /// The node has forgotten the session. What the socket takes at once is written; a client
  /// that reads again within a few seconds still gets the last frame, which says why.
  void close(SessionId session);
  /// The client is gone; the node has been or will be told by the caller.
  void forget(SessionId session);

  struct Flushed {
    SessionId session;
    std::size_t count{0};
    bool closed{false};
  };
  /// One round over the clients that have output.
  std::vector<Flushed> flush();
  /// How many clients the next round is over.
  [[nodiscard]] std::size_t sessions_with_output() const { return output_.size(); }

  /// True when a turn would find something to do.
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] std::size_t size() const { return connections_.size(); }

 private:
  struct Listener;
  struct Farewell;
  using ConnectionRef = std::shared_ptr<ClientConnection>;

  void watch(const std::shared_ptr<Listener>& listener);
  int accept_at(const std::shared_ptr<Listener>& listener);
  void back_off(const std::shared_ptr<Listener>& listener, int error);
  ConnectionRef find(SessionId session) const;
  void linger(const ConnectionRef& connection);
  void say(const std::shared_ptr<Farewell>& farewell);
  void end(const std::shared_ptr<Farewell>& farewell);
  void wait_readable(SessionId session, const ConnectionRef& connection);
  void watch_bells(SessionId session, const ConnectionRef& connection);
  void answer_bells(SessionId session, const ConnectionRef& connection);
  void wait_writable(SessionId session, const ConnectionRef& connection);
  void mark_readable(SessionId session);
  void mark_output(SessionId session, ClientConnection& connection);
  void feel_pulse();

  asio::io_context& io_;
  Hooks hooks_;
  bool shared_memory_{false};
  std::string socket_;
  struct stat socket_file_ {};
  int descriptors_max_{std::numeric_limits<int>::max()};
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::map<SessionId, ConnectionRef> connections_;
  std::set<std::shared_ptr<Farewell>> farewells_;
  std::deque<SessionId> readable_;
  std::vector<SessionId> paused_;  ///< in the order they paused
  std::vector<SessionId> output_;
  asio::steady_timer pulse_;
  bool pulse_runs_{false};
  RateLimit warnings_{3, std::chrono::seconds{10}};
};

}  // namespace ringcast
