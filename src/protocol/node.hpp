// SPDX-License-Identifier: Apache-2.0
//
// Node: the whole house without its pipes. A message walks from a client's frames (Sessions)
// through its envelope (Groups) into the order (Ring), and out through the same rooms on
// every node. Node is the only place that knows all three; they do not know each other.
//
// The contract with a driver (the daemon's or the simulator's):
//   1. call exactly one input, with a `now` that never goes back;
//   2. carry out effects: seal and send the transmits in order, persist, write, close;
//   3. call deliver() until it returns false and carry out its effects each time (deliveries
//      come after the token has left: that is the accelerated ring's promise to the next node;
//      they come in slices, so that sockets can take one before the next);
//   4. arm one timer for next_deadline(), wait for the next input.
// An input never waits, never reads a clock, never touches a file or socket. A batch of
// packets is one input. Nothing depends on addresses or on hash order, so the same inputs
// give the same effects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ringcast/status.hpp"

#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/base/time.hpp"
#include "protocol/base/trace.hpp"
#include "protocol/effects.hpp"
#include "protocol/ring/config.hpp"
#include "protocol/ring/inspection.hpp"
#include "protocol/session/config.hpp"
#include "protocol/session/inspection.hpp"

namespace ringcast {

struct DaemonEntry {
  std::string name;
  std::string address;  ///< for status only; the driver does the addressing
};

struct NodeConfig {
  std::string cluster;
  std::string name;                  ///< must be among `daemons`
  std::vector<DaemonEntry> daemons;  ///< every daemon of the cluster, this one included
  RingConfig ring;
  SessionConfig session;
};

/// Randomness and path facts, drawn by the driver at start.
struct StartFacts {
  std::uint32_t boot_id{0};                    ///< from a real random source, never 0
  std::uint64_t random_seed{0};                ///< for jitter
  std::uint32_t datagram_bytes_max{1472};      ///< largest UDP payload all local paths carry
  std::uint32_t receive_buffer_bytes{212992};  ///< what the socket really got
};

class Node {
 public:
  /// `trace` may be null and must outlive the node.
  Node(NodeConfig config, TraceSink* trace);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) = delete;
  Node& operator=(Node&&) = delete;

  // Inputs.
  void on_start(Instant now, const StoredState& stored, const StartFacts& facts, Effects& effects);
  void on_persisted(Instant now, const StoredState& stored, Effects& effects);
  /// Whole datagrams as they came from the network, unverified.
  void on_packets(Instant now, std::span<const BufferRef> datagrams, Effects& effects);
  void on_timer(Instant now, Effects& effects);
  SessionId on_client_open(Instant now, Effects& effects);
  void on_client_bytes(
      Instant now, SessionId session, std::span<const std::byte> bytes, Effects& effects);
  /// `count` more bytes of the session's writes have reached its socket.
  void on_client_written(Instant now, SessionId session, std::size_t count, Effects& effects);
  /// The socket is gone (not called after a ClientClose).
  void on_client_closed(Instant now, SessionId session, Effects& effects);
  /// Leave cleanly: sessions are closed, their leaves ordered, then stopped() turns true.
  void on_leave(Instant now, Effects& effects);
  /// New daemons or limits. Errors: what cannot change while running, unchanged then.
  Result<void> on_reload(Instant now, const NodeConfig& config, Effects& effects);

  /// Hands what was ordered to groups and sessions. Call after every input. Returns true when
  /// it must be called again (after carrying out the effects).
  bool deliver(Instant now, Effects& effects);

  /// Fills in header and tag of a packet from Effects::transmits.
  void seal(BufferRef& packet);

  /// False: do not read this client's socket now (credit or queue exhausted). Look again
  /// after the next input.
  [[nodiscard]] bool may_read(SessionId session) const;
  /// Requests that were read wait here for the same reason. Once may_read() is true, call
  /// on_client_bytes(), with no bytes too, before the socket is read.
  [[nodiscard]] bool holds_requests(SessionId session) const;
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] bool stopped() const;
  [[nodiscard]] NodeStatus status(Instant now) const;
  /// Shows every ordered event as the ring hands it up, before groups see it: for checkers
  /// and for what a driver tells its operator.
  void observe(std::function<void(const OrderedEvent&)> observer);
  /// For checkers: the node's memory as it is now.
  [[nodiscard]] Inspection inspect() const;
  [[nodiscard]] std::vector<SessionInspection> inspect_sessions() const;
  /// For checkers: packet `seq` of `ring` is here, or is done with because all members had it.
  [[nodiscard]] bool holds(const RingId& ring, Seq seq) const;
  /// For drivers' own counters (datagrams truncated, sends refused, ...), shown in status.
  void count(std::string_view counter, std::uint64_t more);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast
