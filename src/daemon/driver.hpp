// SPDX-License-Identifier: Apache-2.0
//
// Driver: the loop around the Node. One input at a time, its effects carried out in order,
// then what was ordered is delivered, then one timer is armed. Owns the node and its pipes;
// knows nothing of what travels through them.
//
// A turn serves the network before any client, and looks at the network again between two
// clients: the token is never late because of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <asio.hpp>

#include "daemon/logging.hpp"
#include "daemon/session_server.hpp"
#include "daemon/state_file.hpp"
#include "daemon/udp_transport.hpp"
#include "protocol/node.hpp"

namespace ringcast {

/// Time since boot, asleep or not.
Instant read_clock();

class Driver {
 public:
  struct Hooks {
    /// At each regular configuration, once its groups are complete, and after a reload.
    std::function<void(const NodeStatus&)> operational;
    std::function<void()> stopped;  ///< once, after leave()
  };

  /// `trace` may be null and must outlive the driver.
  Driver(asio::io_context& io, NodeConfig config, StateFile state, TraceSink* trace);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  Driver(Driver&&) = delete;
  Driver& operator=(Driver&&) = delete;

  /// Opens all sockets. Nothing on success.
  std::optional<SetupFailure> open(const UdpOptions& udp, const SessionServerOptions& clients);
  [[nodiscard]] bool uses_multicast() const { return transport_.uses_multicast(); }
  /// `facts` are completed with what the sockets turned out to be.
  void start(const StoredState& stored, StartFacts facts, Hooks hooks);
  /// Leaves the ring; Hooks::stopped follows, at the latest after `patience`.
  void leave(std::chrono::milliseconds patience);
  /// Errors: what cannot change while running; everything stays as it was then.
  Result<void> reload(const NodeConfig& config, std::vector<UdpPeer> peers);

 private:
  struct Pipe;

  void watch_network(std::size_t index);
  void wake();
  void turn();
  bool serve_network();
  void drain_pipe(std::size_t index);
  void serve_clients();
  void accept_clients();
  void read_client(SessionId session);
  void take_bytes(SessionId session, std::span<const std::byte> bytes);
  [[nodiscard]] bool is_much_unflushed() const;
  bool flush_clients();
  void report_written(const SessionServer::Flushed& flushed);
  void close_client(SessionId session);
  void finish_turn();
  void announce();
  void arm_timer();
  void on_timer();
  void stop();

  template <class Input>
  void step(Input&& input);
  template <class Input>
  void perform(Input&& input);
  void deliver();
  void carry_out();

  void persist(const StoredState& state);
  void start_persist();
  void persisted(const StoredState& state, const Result<void>& outcome);

  asio::io_context& io_;
  std::size_t unflushed_bytes_max_{0};  ///< more: clients are served in the middle of a turn
  Node node_;
  UdpTransport transport_;
  SessionServer server_;
  StateFile state_;
  Hooks hooks_;

  std::vector<std::unique_ptr<Pipe>> pipes_;  ///< waits on the transport's sockets
  asio::steady_timer timer_;
  std::optional<Instant> armed_;
  asio::steady_timer patience_;
  bool turn_posted_{false};
  bool announced_{false};  ///< the configuration that stands
  bool leaving_{false};
  bool stopped_{false};

  Effects effects_;
  std::vector<BufferRef> datagrams_;
  std::vector<std::byte> client_input_;
  std::size_t unflushed_bytes_{0};  ///< handed to the server since it last wrote

  std::optional<StoredState> to_persist_;
  bool persisting_{false};
  asio::steady_timer persist_retry_;
  RateLimit warnings_{3, std::chrono::seconds{10}};
  asio::thread_pool disk_{1};  ///< last: its thread ends before what it uses does
};

}  // namespace ringcast
