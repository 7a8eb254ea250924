// SPDX-License-Identifier: Apache-2.0
//
// Node::Impl: the three rooms and the doors between them. node.cpp has the inputs,
// node_clients.cpp what clients ask for, node_status.cpp what the node tells of itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/assert.hpp"
#include "protocol/groups/groups.hpp"
#include "protocol/node.hpp"
#include "protocol/ring/ring.hpp"
#include "protocol/session/frame_batch.hpp"
#include "protocol/session/session.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast {

class Node::Impl {
 public:
  Impl(NodeConfig config, TraceSink* trace);

  void on_start(Instant now, const StoredState& stored, const StartFacts& facts, Effects& effects);
  void on_packets(std::span<const BufferRef> datagrams);
  void on_timer();
  SessionId open_client();
  void client_bytes(SessionId id, std::span<const std::byte> bytes);
  void take_requests(SessionId id);
  void client_written(SessionId id, std::size_t count);
  void client_closed(SessionId id);
  void leave();
  Result<void> reload(const NodeConfig& config);
  bool deliver();
  [[nodiscard]] bool may_read(SessionId id) const;
  [[nodiscard]] bool holds_requests(SessionId id) const;
  [[nodiscard]] bool may_take(const Session& session) const;
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] NodeStatus status(Instant now) const;
  void count(std::string_view counter, std::uint64_t more = 1);
  [[nodiscard]] Inspection inspect() const;
  [[nodiscard]] std::vector<SessionInspection> inspect_sessions() const;

  /// One input: opens the ring's, runs `work`, closes it.
  template <class Work>
  void input(Instant now, Effects& effects, Work work) {
    now_ = now;
    effects_ = &effects;
    ring_.begin(now, effects);
    work();
    write_batch();
    ring_.finish();
    effects_ = nullptr;
  }

  Ring& ring() { return ring_; }
  [[nodiscard]] const Ring& ring() const { return ring_; }
  Sealer& sealer() { return *sealer_; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  void observe(std::function<void(const OrderedEvent&)> observer) {
    observer_ = std::move(observer);
  }

 private:
  struct Door;  // visits a client's request

  void reject(const BufferRef& datagram, const Error& error);
  void route(GroupsOutput& out);
  bool add_to_batch(std::span<const SessionId> to, const EventFrame& frame);
  void write(SessionId id, BufferChain frames);
  void write_all(std::span<const SessionId> to, BufferChain frames);
  void write_batch();
  void close(SessionId id, const Error& reason, Cause cause);
  void forget(SessionId id, const Error& reason, Cause cause, bool tell_driver);
  void close_over_backlog();
  void close_silent();
  template <class Text>
  void trace(TraceKind kind, TraceLevel level, std::uint64_t count, Text text) const;
  void continue_leaving();
  void take(SessionId id, Session& session, const ClientRequest& request, GroupsOutput& out);
  void greet(SessionId id, Session& session, const HelloRequest& hello);
  [[nodiscard]] std::string free_name() const;
  [[nodiscard]] DaemonTable daemon_table() const;
  [[nodiscard]] std::string name_of(NodeId node) const;

  Ring ring_;
  NodeConfig config_;
  TraceSink* trace_;
  std::unique_ptr<Sealer> sealer_;
  std::function<void(const OrderedEvent&)> observer_;
  Instant now_{};
  Instant started_{};
  Effects* effects_{nullptr};
  std::optional<Groups> groups_;
  std::vector<Packet> packets_;        ///< of one input: its memory for the next
  std::vector<OrderedEvent> ordered_;  ///< taken from the ring, handed to groups up to handed_
  std::size_t handed_{0};
  FrameBatch batch_;               ///< empty between inputs
  std::uint64_t routed_bytes_{0};  ///< to clients, by this deliver()

  std::map<std::string, std::uint64_t, std::less<>> counters_;  ///< ours and the driver's
  std::map<SessionId, Session> sessions_;
  std::set<std::string, std::less<>> names_;
  std::set<SessionId> silent_;  ///< sessions that have not said hello, oldest first
  std::set<SessionId> over_backlog_;
  std::uint64_t last_session_{0};
  std::optional<Instant> leave_deadline_;
  bool leaving_{false};
  bool stopped_{false};
};

template <class Text>
void Node::Impl::trace(TraceKind kind, TraceLevel level, std::uint64_t count, Text text) const {
  if (trace_ == nullptr || !trace_->listens(kind, level)) return;
  trace_->trace(TraceEvent{kind, level, ring_.ring(), Seq{}, count, std::string(text())});
}

}  // namespace ringcast
