// SPDX-License-Identifier: Apache-2.0
//
// The insides of Cluster: a machine and a client's socket.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/cluster.hpp"

namespace ringcast::sim {

/// A machine and the process that may run on it.
struct Cluster::Host {
  class Sink final : public TraceSink {
   public:
    Sink(ClusterObserver& observer, const Host& host) : observer_(observer), host_(host) {}
    [[nodiscard]] bool listens(TraceKind kind, TraceLevel level) const override {
      return !host_.is_dead && observer_.listens(kind, level);
    }
    void trace(const TraceEvent& event) override { observer_.on_trace(host_.index, event); }

   private:
    ClusterObserver& observer_;
    const Host& host_;
  };

  Host(ClusterObserver& observer, std::size_t number) : index(number), sink(observer, *this) {}

  std::size_t index;
  Sink sink;
  std::unique_ptr<Node> node;
  std::uint32_t incarnation{0};
  bool paused{false};
  bool leaving{false};
  Instant busy_until;
  std::optional<Instant> wake_at;
  std::uint64_t wake_generation{0};
  unsigned turn_of{0};
  std::size_t next_connection{0};

  std::deque<BufferRef> received;
  std::size_t received_bytes{0};
  std::deque<Input> inputs;
  std::vector<ConnectionId> connections;

  std::vector<std::string> daemons;  ///< its configuration names them
  StoredState stored;
  StoredState stored_before;
  std::optional<StoredState> stored_first;
  Condition condition;
  MachineClock clock;
  std::uint32_t datagram_bytes{1472};
  std::array<std::optional<std::size_t>, fuse_points> fuses;
  bool in_transition{false};  ///< delivered a transitional configuration, not the next regular one
  bool is_dead{false};        ///< ended in the middle of an input: nothing it still does is seen
  std::uint32_t idle_timers{0};
};

struct Cluster::Connection {
  ConnectionId id{0};
  std::size_t host{0};
  std::uint32_t incarnation{0};
  ClientEnd* end{nullptr};
  std::optional<SessionId> session;
  bool refused{false};       ///< the daemon was not there, or is gone, or has closed
  bool hung_up{false};       ///< by the client
  bool hang_up_seen{false};  ///< the daemon knows
  bool hang_up_told{false};  ///< the client knows
  bool readable_told{false};
  bool cut_off{false};  ///< the daemon closed with bytes that the socket did not take
  std::vector<std::byte> to_daemon;
  std::deque<BufferRef> queued;  ///< written by the daemon, not yet in the socket
  std::size_t queued_offset{0};
  std::size_t written{0};  ///< in the socket, not yet reported to the node
  std::vector<std::byte> to_client;
};

}  // namespace ringcast::sim
