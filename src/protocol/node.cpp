// SPDX-License-Identifier: Apache-2.0
//
// The inputs of the house, and the walk of what was ordered from the ring through groups to
// sessions.
#include "protocol/node.hpp"

#include <algorithm>
#include <utility>

#include "protocol/groups/envelope.hpp"
#include "protocol/node_impl.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

/// Handed over by one deliver(), so that sockets take it before more is added.
constexpr std::uint64_t deliver_bytes_max = std::uint64_t{256} << 10U;
/// Room for more events is given back when they are handed over.
constexpr std::size_t ordered_kept = 16384;

/// A leaving node waits so long for its sessions' departure to be ordered and held by all.
constexpr Duration leave_patience = std::chrono::milliseconds{800};

std::vector<NodeId> ids_of(const std::vector<DaemonEntry>& daemons) {
  std::vector<NodeId> ids;
  ids.reserve(daemons.size());
  for (const auto& daemon : daemons) {
    ids.push_back(node_id(daemon.name));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

static_assert(session_message_bytes_max + envelope_overhead_max <= message_bytes_limit);

}  // namespace

Node::Impl::Impl(NodeConfig config, TraceSink* trace)
    : ring_(config.ring, node_id(config.name), ids_of(config.daemons), trace),
      config_(std::move(config)),
      trace_(trace) {
  const auto ids = ids_of(config_.daemons);
  RC_ASSERT(ids.size() <= nodes_max);
  RC_ASSERT(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  RC_ASSERT(std::binary_search(ids.begin(), ids.end(), node_id(config_.name)));
}

void Node::Impl::count(std::string_view counter, std::uint64_t more) {
  const auto found = counters_.find(counter);
  if (found == counters_.end()) {
    counters_.emplace(std::string(counter), more);
  } else {
    found->second += more;
  }
}

void Node::Impl::on_start(
    Instant now, const StoredState& stored, const StartFacts& facts, Effects& effects) {
  RC_ASSERT(facts.boot_id != 0);
  const NodeKey self{node_id(config_.name), BootId{facts.boot_id}};
  started_ = now;
  sealer_ = std::make_unique<NullSealer>(self, cluster_tag(config_.cluster));
  groups_.emplace(self, trace_);
  input(now, effects, [&] {
    ring_.set_path(facts.datagram_bytes_max, facts.receive_buffer_bytes);
    ring_.start(stored, self.boot, facts.random_seed);
  });
}

void Node::Impl::on_packets(std::span<const BufferRef> datagrams) {
  close_over_backlog();
  packets_.reserve(datagrams.size());
  for (const auto& datagram : datagrams) {
    if (const auto header = sealer_->open(datagram.bytes()); !header) {
      reject(datagram, header.error());
    } else if (const auto decoded = decode(datagram, *header, packets_.emplace_back()); !decoded) {
      reject(datagram, decoded.error());
      packets_.pop_back();
    }
  }
  ring_.on_packets(packets_);
  packets_.clear();
}

void Node::Impl::reject(const BufferRef& datagram, const Error& error) {
  count("datagrams_rejected_" + std::string(to_string(error.code)));
  trace(TraceKind::packet_dropped, TraceLevel::debug, datagram.size(), [&] {
    return "datagram of " + std::to_string(datagram.size()) + " bytes: " + error.message;
  });
}

void Node::Impl::on_timer() {
  close_over_backlog();
  ring_.on_timers();
  close_silent();
  if (leave_deadline_ && now_ >= *leave_deadline_) continue_leaving();
}

std::optional<Instant> Node::Impl::next_deadline() const {
  auto earliest = ring_.next_deadline();
  const auto consider = [&](std::optional<Instant> deadline) {
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  };
  if (!stopped_) consider(leave_deadline_);
  if (!silent_.empty()) consider(sessions_.at(*silent_.begin()).handshake_deadline());
  return earliest;
}

// --- what was ordered ----------------------------------------------------------------------

bool Node::Impl::deliver() {
  if (!groups_) return false;
  if (handed_ == ordered_.size()) {
    ordered_.clear();
    if (ordered_.capacity() > ordered_kept) ordered_.shrink_to_fit();
    handed_ = 0;
  }
  ring_.take_ordered(ordered_);
  const bool is_busy = handed_ < ordered_.size();
  if (!is_busy && !leaving_) return false;
  GroupsOutput out;
  routed_bytes_ = 0;
  while (handed_ < ordered_.size() && routed_bytes_ < deliver_bytes_max) {
    auto& event = ordered_[handed_++];
    if (observer_) observer_(event);
    if (auto* const message = std::get_if<OrderedMessage>(&event)) {
      groups_->on_message(std::move(*message), out);
      message->payload = {};  // what comes after it may wait
    } else {
      groups_->on_configuration(std::get<ConfigurationChange>(event), out);
    }
    route(out);
  }
  if (groups_->gate_open()) ring_.open_gate(groups_->configuration().id);
  if (leaving_) continue_leaving();
  return is_busy;
}

void Node::Impl::route(GroupsOutput& out) {
  for (auto& submission : out.submissions) {
    if (submission.exchange) {
      ring_.submit_exchange(std::move(submission.envelope));
    } else {
      ring_.submit_client(std::move(submission.envelope), submission.service);
    }
  }
  for (auto& delivery : out.deliveries) {
    const auto to = out.to(delivery);
    EventFrame frame(delivery.event);
    routed_bytes_ += frame.size();
    if (!frame.is_copied() || !add_to_batch(to, frame)) write_all(to, std::move(frame).alone());
  }
  out.clear();
}

/// False when the frame does not fit an empty batch either.
bool Node::Impl::add_to_batch(std::span<const SessionId> to, const EventFrame& frame) {
  if (batch_.add(to, frame)) return true;
  write_batch();
  return batch_.add(to, frame);
}

void Node::Impl::write_batch() {
  if (batch_.empty()) return;
  auto frames = batch_.take();
  write_all(batch_.to(), std::move(frames));
}

void Node::Impl::write_all(std::span<const SessionId> to, BufferChain frames) {
  if (to.empty()) return;
  for (const auto id : to.first(to.size() - 1)) {
    write(id, frames);
  }
  write(to.back(), std::move(frames));
}

/// Behind what waits in the batch.
void Node::Impl::write(SessionId id, BufferChain frames) {
  write_batch();
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  found->second.queued(frames.size());
  effects_->client_writes.push_back(ClientWrite{id, std::move(frames)});
  if (found->second.over_backlog()) over_backlog_.insert(id);
}

void Node::Impl::close_over_backlog() {
  for (const auto id : std::exchange(over_backlog_, {})) {
    const auto found = sessions_.find(id);
    // Judged at the next input only: the driver had its turn since, what is left is what the
    // client's socket did not take.
    if (found == sessions_.end() || !found->second.over_backlog()) continue;
    count("sessions_closed_backlog");
    close(
        id,
        Error{
            Errc::limit_exceeded,
            "client does not read: " + std::to_string(found->second.backlog_bytes()) +
                " bytes wait for it, the limit is " +
                std::to_string(config_.session.backlog_bytes_max)},
        Cause::disconnect);
  }
}

Result<void> Node::Impl::reload(const NodeConfig& config) {
  if (config.cluster != config_.cluster) {
    return Error{Errc::invalid_argument, "the cluster's name cannot change while running"};
  }
  if (config.name != config_.name) {
    return Error{Errc::invalid_argument, "the daemon's name cannot change while running"};
  }
  std::vector<NodeId> ids = ids_of(config.daemons);
  if (!std::binary_search(ids.begin(), ids.end(), node_id(config_.name))) {
    return Error{Errc::invalid_argument, "this daemon is no longer configured; stop it instead"};
  }
  config_ = config;
  ring_.reconfigure(config.ring, std::move(ids));
  const BufferRef table = Session::encode_daemons(daemon_table());
  for (auto& [id, session] : sessions_) {
    session.reconfigure(config.session, config.ring.message_bytes_max);
    if (session.established()) write(id, table);
  }
  return {};
}

// --- leaving -------------------------------------------------------------------------------

void Node::Impl::leave() {
  if (leaving_) return;
  leaving_ = true;
  leave_deadline_ = now_ + leave_patience;
  std::vector<SessionId> ids;
  for (const auto& [id, session] : sessions_) {
    ids.push_back(id);
  }
  for (const auto id : ids) {
    close(id, Error{Errc::closed, "daemon stopped"}, Cause::disconnect);
  }
}

void Node::Impl::continue_leaving() {
  if (stopped_) return;
  const bool is_drained = ring_.is_drained() && handed_ == ordered_.size();
  if (!is_drained && now_ < *leave_deadline_) return;
  ring_.leave();
  stopped_ = true;
}

// --- Node ----------------------------------------------------------------------------------

Node::Node(NodeConfig config, TraceSink* trace)
    : impl_(std::make_unique<Impl>(std::move(config), trace)) {}
Node::~Node() = default;

void Node::on_start(
    Instant now, const StoredState& stored, const StartFacts& facts, Effects& effects) {
  impl_->on_start(now, stored, facts, effects);
}

void Node::on_persisted(Instant now, const StoredState& stored, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->ring().on_persisted(stored); });
}

void Node::on_packets(Instant now, std::span<const BufferRef> datagrams, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->on_packets(datagrams); });
}

void Node::on_timer(Instant now, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->on_timer(); });
}

SessionId Node::on_client_open(Instant now, Effects& effects) {
  SessionId id;
  impl_->input(now, effects, [&] { id = impl_->open_client(); });
  return id;
}

void Node::on_client_bytes(
    Instant now, SessionId session, std::span<const std::byte> bytes, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->client_bytes(session, bytes); });
}

void Node::on_client_written(Instant now, SessionId session, std::size_t count, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->client_written(session, count); });
}

void Node::on_client_closed(Instant now, SessionId session, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->client_closed(session); });
}

void Node::on_leave(Instant now, Effects& effects) {
  impl_->input(now, effects, [&] { impl_->leave(); });
}

Result<void> Node::on_reload(Instant now, const NodeConfig& config, Effects& effects) {
  Result<void> result;
  impl_->input(now, effects, [&] { result = impl_->reload(config); });
  return result;
}

bool Node::deliver(Instant now, Effects& effects) {
  bool again = false;
  impl_->input(now, effects, [&] { again = impl_->deliver(); });
  return again;
}

void Node::seal(BufferRef& packet) { impl_->sealer().seal(packet.writable()); }
bool Node::may_read(SessionId session) const { return impl_->may_read(session); }

bool Node::holds_requests(SessionId session) const { return impl_->holds_requests(session); }
std::optional<Instant> Node::next_deadline() const { return impl_->next_deadline(); }
bool Node::stopped() const { return impl_->stopped(); }
NodeStatus Node::status(Instant now) const { return impl_->status(now); }

void Node::observe(std::function<void(const OrderedEvent&)> observer) {
  impl_->observe(std::move(observer));
}

void Node::count(std::string_view counter, std::uint64_t more) { impl_->count(counter, more); }

}  // namespace ringcast
