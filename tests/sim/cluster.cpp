// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast::sim {

namespace {

constexpr std::size_t packet_batch_max = 64;
constexpr std::size_t client_read_bytes_max = std::size_t{64} << 10U;
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
  }
  return "?";
}

std::optional<Storage> parse_storage(std::string_view text) {
  for (const Storage storage : {Storage::kept, Storage::lost, Storage::torn}) {
    if (text == to_string(storage)) return storage;
  }
  return std::nullopt;
}

/// A machine and the process that may run on it.
struct Cluster::Host {
  class Sink final : public TraceSink {
   public:
    Sink(ClusterObserver& observer, std::size_t host) : observer_(observer), host_(host) {}
    [[nodiscard]] bool listens(TraceKind kind, TraceLevel level) const override {
      return observer_.listens(kind, level);
    }
    void trace(const TraceEvent& event) override { observer_.on_trace(host_, event); }

   private:
    ClusterObserver& observer_;
    std::size_t host_;
  };

  Host(ClusterObserver& observer, std::size_t number) : index(number), sink(observer, number) {}

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
  std::uint32_t datagram_bytes{1472};
  std::optional<std::size_t> fuse;  ///< datagrams until it crashes
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

Cluster::Cluster(ClusterConfig config, Network& network, ClusterObserver& observer, Random random)
    : config_(std::move(config)), network_(network), observer_(observer), random_(random) {
  for (std::size_t i = 0; i < config_.names.size(); ++i) {
    hosts_.push_back(std::make_unique<Host>(observer_, i));
    hosts_.back()->datagram_bytes = config_.datagram_bytes_max;
    hosts_.back()->daemons = config_.names;
    host_of_[node_id(config_.names[i])] = i;
  }
  RC_ASSERT(host_of_.size() == config_.names.size());
}

Cluster::~Cluster() = default;

bool Cluster::is_up(std::size_t host) const { return hosts_[host]->node != nullptr; }
bool Cluster::is_paused(std::size_t host) const { return hosts_[host]->paused; }
bool Cluster::is_leaving(std::size_t host) const { return hosts_[host]->leaving; }
const Node* Cluster::node(std::size_t host) const { return hosts_[host]->node.get(); }

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
  if (host.received_bytes + cost > config_.receive_buffer_bytes) {
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
  config.ring = config_.ring;
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

void Cluster::start(std::size_t index, Storage storage) {
  Host& host = *hosts_[index];
  RC_ASSERT(host.node == nullptr);
  if (storage == Storage::lost) host.stored = StoredState{};
  if (storage == Storage::torn) host.stored = host.stored_before;
  host.stored_before = host.stored;
  if (host.incarnation++ > 0) ++counts_.restarts;
  ++boots_;
  std::uint32_t boot = config_.small_boot_ids ? boots_ : 0;
  while (boot == 0) {
    boot = static_cast<std::uint32_t>(random_.next());
  }

  observer_.on_started(index, BootId{boot}, storage);
  host.node = std::make_unique<Node>(node_config(host), &host.sink);
  host.node->observe(
      [this, index](const OrderedEvent& event) { observer_.on_ordered(index, event); });
  StartFacts facts;
  facts.boot_id = boot;
  facts.random_seed = random_.next();
  facts.datagram_bytes_max = host.datagram_bytes;
  facts.receive_buffer_bytes = static_cast<std::uint32_t>(config_.receive_buffer_told);
  host.busy_until = now_;
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
  host.fuse.reset();
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

void Cluster::crash_in_output(std::size_t host, std::size_t datagrams) {
  if (hosts_[host]->node != nullptr) hosts_[host]->fuse = datagrams;
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
  if (took) finish_input(host, now_ + config_.input_cost, effects);
  poke(host);
}

bool Cluster::take_packets(Host& host, Effects& effects) {
  if (host.received.empty()) return false;
  std::vector<BufferRef> batch;
  while (!host.received.empty() && batch.size() < packet_batch_max) {
    host.received_bytes -= buffer_cost(host.received.front());
    batch.push_back(std::move(host.received.front()));
    host.received.pop_front();
  }
  count_input(host, kind_of(batch.front().bytes()));
  host.idle_timers = 0;
  host.busy_until = now_ + config_.packet_cost * static_cast<Duration::rep>(batch.size());
  host.node->on_packets(now_, batch, effects);
  return true;
}

bool Cluster::take_timer(Host& host, Effects& effects) {
  const std::optional<Instant> deadline = host.node->next_deadline();
  if (!deadline || *deadline > now_) return false;
  count_input(host, InputKind::timer);
  host.node->on_timer(now_, effects);
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
  input(*host.node, now_, effects);
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
  if (!connection.session) {
    connection.session = node.on_client_open(now_, effects);
    return true;
  }
  if (connection.written > 0 && !connection.hung_up) {
    node.on_client_written(
        now_, *connection.session, std::exchange(connection.written, 0), effects);
    return true;
  }
  // What a client wrote before it hung up is still read, when the daemon wants to read.
  if (node.holds_requests(*connection.session) && node.may_read(*connection.session)) {
    node.on_client_bytes(now_, *connection.session, {}, effects);
    return true;
  }
  if (!connection.to_daemon.empty() && node.may_read(*connection.session)) {
    const std::size_t most = std::min(connection.to_daemon.size(), client_read_bytes_max);
    const std::size_t count = random_.chance(0.1) ? random_.between(1, most) : most;
    node.on_client_bytes(
        now_, *connection.session, std::span{connection.to_daemon}.first(count), effects);
    connection.to_daemon.erase(
        connection.to_daemon.begin(),
        connection.to_daemon.begin() + static_cast<std::ptrdiff_t>(count));
    return true;
  }
  RC_ASSERT(connection.hung_up);
  node.on_client_closed(now_, *connection.session, effects);
  connection.session.reset();
  connection.refused = true;
  std::erase(host.connections, connection.id);
  return true;
}

void Cluster::count_input(const Host& host, InputKind kind) {
  input_table_.add(host.node->inspect().phase, kind);
}

void Cluster::finish_input(Host& host, Instant at, Effects& effects) {
  ++counts_.inputs;
  at = std::max(at, host.busy_until);
  if (!carry_out(host, at, effects)) return;
  bool more = true;
  while (more) {
    effects.clear();
    more = host.node->deliver(at, effects);
    at += config_.packet_cost;
    if (!carry_out(host, at, effects)) return;
  }
  host.busy_until = at;
  if (host.node->stopped()) end_process(host, Ending::left);
}

/// False when the process died on the way.
bool Cluster::carry_out(Host& host, Instant& at, Effects& effects) {
  if (!transmit(host, at, effects)) return false;
  if (effects.persist) persist(host, at, *effects.persist);
  write_to_clients(host, effects);
  return true;
}

bool Cluster::transmit(Host& host, Instant& at, Effects& effects) {
  for (Transmit& transmit : effects.transmits) {
    host.node->seal(transmit.packet);
    for (const NodeId peer : effects.peer_sets.at(transmit.peers)) {
      if (host.fuse && (*host.fuse)-- == 0) {
        crash(host.index);
        return false;
      }
      at += config_.packet_cost;
      network_.send(at, host.index, host_of_.at(peer), transmit.packet.bytes());
    }
  }
  return true;
}

void Cluster::persist(Host& host, Instant at, const StoredState& stored) {
  const Instant done = at + random_.between(config_.persist_min, config_.persist_max);
  const std::uint32_t incarnation = host.incarnation;
  Host* writer = &host;
  this->at(done, [this, writer, incarnation, stored] {
    if (writer->node == nullptr || writer->incarnation != incarnation) return;
    writer->stored_before = std::exchange(writer->stored, stored);
    writer->inputs.push_back([this, writer, stored](Node& node, Instant now, Effects& effects) {
      count_input(*writer, InputKind::persisted);
      node.on_persisted(now, stored, effects);
    });
    poke(*writer);
  });
}

// Client sockets.

void Cluster::write_to_clients(Host& host, Effects& effects) {
  const auto find = [&](SessionId session) -> Connection* {
    for (const ConnectionId id : host.connections) {
      if (connections_[id]->session == session) return connections_[id].get();
    }
    return nullptr;
  };
  for (ClientWrite& write : effects.client_writes) {
    Connection* connection = find(write.session);
    if (connection == nullptr) continue;  // its client hung up in this very input
    if (!write.frame.empty()) connection->queued.push_back(std::move(write.frame));
    fill_socket(host, *connection);
  }
  for (const ClientClose& close : effects.client_closes) {
    Connection* connection = find(close.session);
    if (connection == nullptr) continue;
    connection->cut_off = !connection->queued.empty();
    connection->session.reset();
    connection->queued.clear();
    std::erase(host.connections, connection->id);
    hang_up_later(*connection);
  }
}

void Cluster::fill_socket(Host& host, Connection& connection) {
  while (!connection.queued.empty() && connection.to_client.size() < config_.socket_bytes) {
    const std::span<const std::byte> frame =
        connection.queued.front().bytes().subspan(connection.queued_offset);
    const std::size_t room = config_.socket_bytes - connection.to_client.size();
    const std::size_t count = std::min(room, frame.size());
    connection.to_client.insert(
        connection.to_client.end(),
        frame.begin(),
        frame.begin() + static_cast<std::ptrdiff_t>(count));
    connection.written += count;
    connection.queued_offset += count;
    if (count == frame.size()) {
      connection.queued.pop_front();
      connection.queued_offset = 0;
    }
  }
  if (!connection.to_client.empty()) readable_later(connection);
  if (connection.written > 0 && host.node != nullptr) poke(host);
}

void Cluster::readable_later(Connection& connection) {
  if (std::exchange(connection.readable_told, true)) return;
  Connection* readable = &connection;
  after(config_.socket_delay, [readable] {
    if (readable->end != nullptr) readable->end->on_readable();
  });
}

void Cluster::hang_up_later(Connection& connection) {
  connection.refused = true;
  if (std::exchange(connection.hang_up_told, true)) return;
  Connection* closed = &connection;
  after(config_.socket_delay, [closed] {
    if (closed->end != nullptr) closed->end->on_hung_up(closed->cut_off);
  });
}

ConnectionId Cluster::connect(std::size_t index, ClientEnd& end) {
  Host& host = *hosts_[index];
  connections_.push_back(std::make_unique<Connection>());
  Connection& connection = *connections_.back();
  connection.id = connections_.size() - 1;
  connection.host = index;
  connection.incarnation = host.incarnation;
  connection.end = &end;
  if (host.node == nullptr || host.leaving) {
    hang_up_later(connection);
    return connection.id;
  }
  host.connections.push_back(connection.id);
  poke(host);
  return connection.id;
}

std::size_t Cluster::client_room(ConnectionId id) const {
  const Connection& connection = *connections_[id];
  if (connection.refused || connection.hung_up) return 0;
  return config_.socket_bytes - std::min(config_.socket_bytes, connection.to_daemon.size());
}

std::size_t Cluster::client_write(ConnectionId id, std::span<const std::byte> bytes) {
  Connection& connection = *connections_[id];
  const std::size_t count = std::min(bytes.size(), client_room(id));
  if (count == 0) return 0;
  connection.to_daemon.insert(
      connection.to_daemon.end(),
      bytes.begin(),
      bytes.begin() + static_cast<std::ptrdiff_t>(count));
  poke(*hosts_[connection.host]);
  return count;
}

std::vector<std::byte> Cluster::client_read(ConnectionId id, std::size_t bytes_max) {
  Connection& connection = *connections_[id];
  connection.readable_told = false;
  std::vector<std::byte> bytes;
  if (connection.to_client.size() <= bytes_max) {
    bytes.swap(connection.to_client);
  } else {
    const auto end = connection.to_client.begin() + static_cast<std::ptrdiff_t>(bytes_max);
    bytes.assign(connection.to_client.begin(), end);
    connection.to_client.erase(connection.to_client.begin(), end);
  }
  if (!connection.to_client.empty()) readable_later(connection);
  if (connection.session) fill_socket(*hosts_[connection.host], connection);
  return bytes;
}

void Cluster::client_hang_up(ConnectionId id) {
  Connection& connection = *connections_[id];
  connection.hung_up = true;
  connection.end = nullptr;
  poke(*hosts_[connection.host]);
}

bool Cluster::is_drained(ConnectionId id) const {
  const Connection& connection = *connections_[id];
  return connection.to_daemon.empty() && connection.queued.empty() && connection.to_client.empty();
}

}  // namespace ringcast::sim
