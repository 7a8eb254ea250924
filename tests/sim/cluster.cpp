// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/wire/seal.hpp"
#include "sim/cluster_host.hpp"

namespace ringcast::sim {

namespace {

constexpr std::size_t packet_batch_max = 64;
constexpr std::size_t client_read_bytes_max = std::size_t{64} << 10U;
constexpr Duration persist_retry = std::chrono::seconds{1};
constexpr std::uint32_t idle_timers_max = 20000;  // firings in a row without any effect

/// Datagrams on their way through a socket cost the buffer more than their length.
std::size_t buffer_cost(const BufferRef& bytes) { return bytes.size() + 256; }

}  // namespace

std::string_view to_string(Storage storage) {
  switch (storage) {
    case Storage::kept:
      return "kept";
    case Storage::lost:
      return "lost";
    case Storage::torn:
      return "torn";
    case Storage::stale:
      return "stale";
    case Storage::copied:
      return "copied";
  }
  return "?";
}

std::optional<Storage> parse_storage(std::string_view text) {
  for (const Storage storage :
       {Storage::kept, Storage::lost, Storage::torn, Storage::stale, Storage::copied}) {
    if (text == to_string(storage)) return storage;
  }
  return std::nullopt;
}

Cluster::Cluster(ClusterConfig config, Network& network, ClusterObserver& observer, Random random)
    : config_(std::move(config)), network_(network), observer_(observer), random_(random) {
  for (std::size_t i = 0; i < config_.names.size(); ++i) {
    hosts_.push_back(std::make_unique<Host>(observer_, i));
    hosts_.back()->datagram_bytes = config_.datagram_bytes_max;
    hosts_.back()->daemons = config_.names;
    hosts_.back()->stored = hosts_.back()->stored_before = config_.stored;
    hosts_.back()->clock.jump(now_, config_.clock_ahead);
    host_of_[node_id(config_.names[i])] = i;
  }
  RC_ASSERT(host_of_.size() == config_.names.size());
}

Cluster::~Cluster() = default;

bool Cluster::is_up(std::size_t host) const { return hosts_[host]->node != nullptr; }
bool Cluster::is_paused(std::size_t host) const { return hosts_[host]->paused; }
bool Cluster::is_leaving(std::size_t host) const { return hosts_[host]->leaving; }
const Node* Cluster::node(std::size_t host) const { return hosts_[host]->node.get(); }
const StoredState& Cluster::stored(std::size_t host) const { return hosts_[host]->stored; }

void Cluster::at(Instant when, std::function<void()> action) {
  events_.push(std::max(when, now_), std::move(action));
}

void Cluster::before_all_at(Instant when, std::function<void()> action) {
  RC_ASSERT(when > now_);
  from_outside_.push(when, std::move(action));
}

bool Cluster::step(Instant limit) {
  if (step_from_outside(limit)) return true;
  const std::optional<Instant> packet = network_.next_ready();
  const bool has_event = !events_.empty();
  const bool packet_first = packet && (!has_event || *packet <= events_.next_time());
  if (packet_first) {
    if (*packet <= limit) {
      now_ = std::max(now_, *packet);
      arrive(network_.pop());
      return true;
    }
  } else if (has_event && events_.next_time() <= limit) {
    now_ = events_.next_time();
    handle(events_.pop());
    return true;
  }
  now_ = std::max(now_, limit);
  return false;
}

bool Cluster::step_from_outside(Instant limit) {
  if (from_outside_.empty()) return false;
  const Instant when = from_outside_.next_time();
  const std::optional<Instant> packet = network_.next_ready();
  const bool is_next = when <= limit && (!packet || when <= *packet) &&
                       (events_.empty() || when <= events_.next_time());
  if (!is_next) return false;
  now_ = std::max(now_, when);
  from_outside_.pop().action();
  return true;
}

void Cluster::handle(EventQueue::Event event) {
  if (event.action) {
    event.action();
    return;
  }
  Host& host = *hosts_[event.host];
  if (host.wake_generation != event.generation) return;  // woken earlier, or another process
  host.wake_at.reset();
  turn(host);
}

void Cluster::run_until(Instant limit) {
  while (step(limit)) {
  }
}

void Cluster::arrive(Flight flight) {
  Host& host = *hosts_[flight.to];
  if (host.node == nullptr) return;
  const std::size_t cost = buffer_cost(flight.bytes);
  const std::size_t room =
      host.condition.receive_buffer_bytes.value_or(config_.receive_buffer_bytes);
  if (host.received_bytes + cost > room) {
    ++counts_.packets_overflowed;
    return;
  }
  host.received_bytes += cost;
  host.received.push_back(std::move(flight.bytes));
  poke(host);
}

// Processes.

NodeConfig Cluster::node_config(const Host& host) const {
  NodeConfig config;
  config.cluster = "sim";
  config.name = name(host.index);
  for (const std::string& daemon : host.daemons) {
    config.daemons.push_back({.name = daemon, .address = "sim:" + daemon});
  }
  config.ring = config_.ring_of.empty() ? config_.ring : config_.ring_of[host.index];
  config.session = config_.session;
  return config;
}

void Cluster::configure(std::size_t index, std::vector<std::string> daemons) {
  Host& host = *hosts_[index];
  host.daemons = std::move(daemons);
  if (host.node == nullptr) return;
  const NodeConfig config = node_config(host);
  host.inputs.push_back([config](Node& node, Instant at, Effects& effects) {
    const Result<void> result = node.on_reload(at, config, effects);
    RC_ASSERT(result.ok());
  });
  poke(host);
}

void Cluster::set_stored(std::size_t index, const StoredState& stored) {
  hosts_[index]->stored = stored;
}

StoredState Cluster::stored_for(const Host& host, Storage storage) const {
  switch (storage) {
    case Storage::kept:
      break;
    case Storage::lost:
      return {};
    case Storage::torn:
      return host.stored_before;
    case Storage::stale:
      return host.stored_first.value_or(StoredState{});
    case Storage::copied:
      return hosts_[(host.index + 1) % hosts_.size()]->stored;
  }
  return host.stored;
}

void Cluster::start(std::size_t index, Storage storage) {
  Host& host = *hosts_[index];
  RC_ASSERT(host.node == nullptr);
  host.stored = stored_for(host, storage);
  host.stored_before = host.stored;
  if (host.incarnation++ > 0) ++counts_.restarts;
  ++boots_;
  std::uint32_t boot = config_.small_boot_ids ? boots_ : 0;
  while (boot == 0) {
    boot = static_cast<std::uint32_t>(random_.next());
  }

  observer_.on_started(index, BootId{boot}, storage);
  host.node = std::make_unique<Node>(node_config(host), &host.sink);
  host.node->observe([this, index](const OrderedEvent& event) { observe(*hosts_[index], event); });
  StartFacts facts;
  facts.boot_id = boot;
  facts.random_seed = random_.next();
  facts.datagram_bytes_max = host.datagram_bytes;
  facts.receive_buffer_bytes = static_cast<std::uint32_t>(config_.receive_buffer_told);
  host.busy_until = std::max(now_, host.busy_until);
  host.paused = false;
  host.leaving = false;
  const StoredState stored = host.stored;
  host.inputs.push_back([stored, facts](Node& node, Instant at, Effects& effects) {
    node.on_start(at, stored, facts, effects);
  });
  poke(host);
}

void Cluster::end_process(Host& host, Ending ending) {
  host.node.reset();
  host.received.clear();
  host.received_bytes = 0;
  host.inputs.clear();
  host.fuses = {};
  host.is_dead = false;
  host.wake_at.reset();
  ++host.wake_generation;
  host.paused = false;
  host.leaving = false;
  for (const ConnectionId id : host.connections) {
    Connection& connection = *connections_[id];
    connection.session.reset();
    connection.queued.clear();
    hang_up_later(connection);
  }
  host.connections.clear();
  observer_.on_ended(host.index, ending);
}

void Cluster::crash(std::size_t index) {
  Host& host = *hosts_[index];
  if (host.node == nullptr) return;
  ++counts_.crashes;
  end_process(host, Ending::crashed);
}

void Cluster::set_fuse(std::size_t host, FusePoint point, std::size_t count) {
  if (hosts_[host]->node != nullptr) hosts_[host]->fuses[static_cast<std::size_t>(point)] = count;
}

bool Cluster::burns_down(Host& host, FusePoint point) {
  std::optional<std::size_t>& fuse = host.fuses[static_cast<std::size_t>(point)];
  if (!fuse || (*fuse)-- > 0) return false;
  fuse.reset();
  ++counts_.fuses[static_cast<std::size_t>(point)];
  return true;
}

/// In the middle of Node::deliver: what the process still does of it reaches nobody.
void Cluster::observe(Host& host, const OrderedEvent& event) {
  if (host.is_dead) return;
  const bool was_in_transition = host.in_transition;
  bool is_transitional = false;
  if (const auto* const change = std::get_if<ConfigurationChange>(&event)) {
    is_transitional = change->kind == ConfigurationChange::Kind::transitional;
    host.in_transition = is_transitional;
  }
  host.is_dead = burns_down(host, FusePoint::ordered) ||
                 (was_in_transition && !is_transitional && burns_down(host, FusePoint::between));
  if (!host.is_dead) observer_.on_ordered(host.index, event);
}

const Condition& Cluster::condition(std::size_t host) const { return hosts_[host]->condition; }

void Cluster::set_condition(std::size_t host, const Condition& condition) {
  hosts_[host]->condition = condition;
}

void Cluster::set_clock_rate(std::size_t index, std::int64_t per_million) {
  Host& host = *hosts_[index];
  host.clock.set_rate(std::max(now_, host.busy_until), per_million);
  poke(host);
}

void Cluster::jump_clock(std::size_t index, Duration ahead) {
  Host& host = *hosts_[index];
  host.clock.jump(std::max(now_, host.busy_until), ahead);
  poke(host);
}

void Cluster::mend(std::size_t index) {
  Host& host = *hosts_[index];
  host.condition = Condition{};
  host.fuses = {};
  set_clock_rate(index, MachineClock::true_rate);
  if (host.daemons.size() != config_.names.size()) configure(index, config_.names);
  if (host.paused) resume(index);
}

void Cluster::pause(std::size_t index) {
  if (!is_up(index) || hosts_[index]->paused) return;
  ++counts_.pauses;
  hosts_[index]->paused = true;
}

void Cluster::resume(std::size_t index) {
  hosts_[index]->paused = false;
  poke(*hosts_[index]);
}

void Cluster::leave(std::size_t index) {
  Host& host = *hosts_[index];
  if (host.node == nullptr || host.leaving) return;
  ++counts_.leaves;
  host.leaving = true;
  host.inputs.push_back([this, &host](Node& node, Instant at, Effects& effects) {
    count_input(host, InputKind::leave);
    node.on_leave(at, effects);
  });
  poke(host);
}

// One turn of a process: one input, its effects, its deliveries.

bool Cluster::has_work(const Host& host) const {
  if (!host.received.empty() || !host.inputs.empty()) return true;
  return std::any_of(host.connections.begin(), host.connections.end(), [&](ConnectionId id) {
    return wants_service(host, *connections_[id]);
  });
}

void Cluster::poke(Host& host) {
  if (host.node == nullptr || host.paused) return;
  std::optional<Instant> when = host.node->next_deadline();
  if (when) when = host.clock.real(*when);
  if (has_work(host)) when = now_;
  if (!when) return;
  const Instant wake = std::max({*when, now_, host.busy_until});
  if (host.wake_at && *host.wake_at <= wake) return;
  host.wake_at = wake;
  events_.push_wake(wake, host.index, ++host.wake_generation);
}

void Cluster::turn(Host& host) {
  if (host.node == nullptr || host.paused) return;
  if (now_ < host.busy_until) return poke(host);
  Effects effects;
  bool took = false;
  for (unsigned i = 0; i < 4 && !took; ++i) {
    switch (host.turn_of++ % 4) {
      case 0:
        took = take_packets(host, effects);
        break;
      case 1:
        took = take_timer(host, effects);
        break;
      case 2:
        took = take_queued_input(host, effects);
        break;
      default:
        took = take_client(host, effects);
        break;
    }
  }
  if (took) finish_input(host, now_ + config_.input_cost * host.condition.slowness, effects);
  poke(host);
}

bool Cluster::take_packets(Host& host, Effects& effects) {
  if (host.received.empty()) return false;
  std::vector<BufferRef> batch;
  while (!host.received.empty() && batch.size() < packet_batch_max) {
    host.received_bytes -= buffer_cost(host.received.front());
    if (packet_listener_) packet_listener_(host.index, host.received.front().bytes());
    batch.push_back(std::move(host.received.front()));
    host.received.pop_front();
  }
  count_input(host, kind_of(batch.front().bytes()));
  host.idle_timers = 0;
  host.busy_until = now_ + packet_cost(host) * static_cast<Duration::rep>(batch.size());
  host.node->on_packets(host.clock.shown(now_), batch, effects);
  return true;
}

bool Cluster::take_timer(Host& host, Effects& effects) {
  const std::optional<Instant> deadline = host.node->next_deadline();
  if (!deadline || *deadline > host.clock.shown(now_)) return false;
  count_input(host, InputKind::timer);
  host.node->on_timer(host.clock.shown(now_), effects);
  if (!effects.transmits.empty()) host.idle_timers = 0;
  if (++host.idle_timers > idle_timers_max && livelock_.empty()) {
    livelock_ = name(host.index) + ": its deadline stays due, on_timer does nothing about it";
  }
  return true;
}

bool Cluster::take_queued_input(Host& host, Effects& effects) {
  if (host.inputs.empty()) return false;
  const Input input = std::move(host.inputs.front());
  host.inputs.pop_front();
  input(*host.node, host.clock.shown(now_), effects);
  return true;
}

bool Cluster::take_client(Host& host, Effects& effects) {
  const std::size_t count = host.connections.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (host.next_connection + i) % count;
    Connection& connection = *connections_[host.connections[at]];
    if (!wants_service(host, connection)) continue;
    host.next_connection = at + 1;
    count_input(host, InputKind::client);
    return serve_connection(host, connection, effects);
  }
  return false;
}

bool Cluster::wants_service(const Host& host, const Connection& connection) const {
  if (!connection.session) return !connection.refused;
  if (connection.hung_up || connection.written > 0) return true;
  const bool has_input =
      !connection.to_daemon.empty() || host.node->holds_requests(*connection.session);
  return has_input && host.node->may_read(*connection.session);
}

bool Cluster::serve_connection(Host& host, Connection& connection, Effects& effects) {
  Node& node = *host.node;
  const Instant now = host.clock.shown(now_);
  if (!connection.session) {
    connection.session = node.on_client_open(now, effects);
    return true;
  }
  if (connection.written > 0 && !connection.hung_up) {
    node.on_client_written(now, *connection.session, std::exchange(connection.written, 0), effects);
    return true;
  }
  // What a client wrote before it hung up is still read, when the daemon wants to read.
  if (node.holds_requests(*connection.session) && node.may_read(*connection.session)) {
    node.on_client_bytes(now, *connection.session, {}, effects);
    return true;
  }
  if (!connection.to_daemon.empty() && node.may_read(*connection.session)) {
    const std::size_t most = std::min(connection.to_daemon.size(), client_read_bytes_max);
    const std::size_t count = random_.chance(0.1) ? random_.between(1, most) : most;
    node.on_client_bytes(
        now, *connection.session, std::span{connection.to_daemon}.first(count), effects);
    connection.to_daemon.erase(
        connection.to_daemon.begin(),
        connection.to_daemon.begin() + static_cast<std::ptrdiff_t>(count));
    return true;
  }
  RC_ASSERT(connection.hung_up);
  node.on_client_closed(now, *connection.session, effects);
  connection.session.reset();
  connection.refused = true;
  std::erase(host.connections, connection.id);
  return true;
}

void Cluster::count_input(const Host& host, InputKind kind) {
  input_table_.add(host.node->inspect().phase, kind);
}

Duration Cluster::packet_cost(const Host& host) const {
  return config_.packet_cost * host.condition.slowness;
}

void Cluster::finish_input(Host& host, Instant at, Effects& effects) {
  ++counts_.inputs;
  at = std::max(at, host.busy_until);
  observer_.on_input(host.index);
  if (!carry_out(host, at, effects)) return;
  bool more = true;
  while (more) {
    effects.clear();
    more = host.node->deliver(host.clock.shown(at), effects);
    at += packet_cost(host);
    host.busy_until = at;
    if (host.is_dead) {
      crash(host.index);
      return;
    }
    observer_.on_input(host.index);
    if (!carry_out(host, at, effects)) return;
  }
  host.busy_until = at;
  if (host.node->stopped()) end_process(host, Ending::left);
}

/// False when the process died on the way.
bool Cluster::carry_out(Host& host, Instant& at, Effects& effects) {
  if (!transmit(host, at, effects)) return false;
  if (effects.persist) persist(host, at, *effects.persist);
  return write_to_clients(host, effects);
}

bool Cluster::transmit(Host& host, Instant& at, Effects& effects) {
  bool rest_refused = false;
  bool token_sent = false;
  for (Transmit& transmit : effects.transmits) {
    host.node->seal(transmit.packet);
    const bool is_token = read_header(transmit.packet.bytes()).type == PacketType::token;
    for (const NodeId peer : effects.peer_sets.at(transmit.peers)) {
      if (burns_down(host, FusePoint::send)) {
        counts_.crashes_behind_token += token_sent ? 1U : 0U;
        host.busy_until = at;
        crash(host.index);
        return false;
      }
      at += packet_cost(host);
      if (rest_refused || random_.chance(host.condition.sends_refused)) {
        // ENOBUFS: this one, or all the rest of what was handed over at once.
        ++counts_.sends_refused;
        rest_refused = rest_refused || random_.chance(0.5);
        network_.refuse(at, host.index, host_of_.at(peer), transmit.packet);
        continue;
      }
      network_.send(at, host.index, host_of_.at(peer), transmit.packet);
    }
    token_sent = token_sent || is_token;
    auto& after_token = host.fuses[static_cast<std::size_t>(FusePoint::token)];
    const bool has_tail = &transmit != &effects.transmits.back();
    if (is_token && has_tail && after_token) {
      set_fuse(host.index, FusePoint::send, *std::exchange(after_token, std::nullopt));
    }
  }
  return true;
}

void Cluster::persist(Host& host, Instant at, const StoredState& stored) {
  ++counts_.persists;
  if (persist_listener_) persist_listener_(host.index);
  const Duration time = random_.between(config_.persist_min, config_.persist_max);
  const std::uint32_t incarnation = host.incarnation;
  Host* writer = &host;
  this->at(at + time + host.condition.disk_delay, [this, writer, incarnation, stored] {
    if (writer->node != nullptr && writer->incarnation == incarnation) written(*writer, stored);
  });
}

void Cluster::written(Host& host, const StoredState& stored) {
  if (host.condition.disk_fails) {
    // The daemon tries again, and tells its node nothing until it worked.
    ++counts_.persists_failed;
    persist(host, now_ + persist_retry, stored);
    return;
  }
  host.stored_before = std::exchange(host.stored, stored);
  if (!host.stored_first) host.stored_first = stored;
  if (burns_down(host, FusePoint::persist)) {
    crash(host.index);
    return;
  }
  Host* writer = &host;
  host.inputs.push_back([this, writer, stored](Node& node, Instant now, Effects& effects) {
    count_input(*writer, InputKind::persisted);
    node.on_persisted(now, stored, effects);
  });
  poke(host);
}

}  // namespace ringcast::sim
