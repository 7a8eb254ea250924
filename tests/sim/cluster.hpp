// SPDX-License-Identifier: Apache-2.0
//
// Cluster: N real Nodes in one process under one virtual clock, and the simulated machines
// they run on: receive buffers, disks, client sockets, processor time. It is the second driver
// of node.hpp's contract; the daemon's is the first.
//
// One queue of events ordered by (time, order of scheduling) makes a run a function of its
// seed. Every input and every packet costs processor time, so virtual time always advances:
// a token that rotates, or a ring of one, cannot spin in one instant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ordered.hpp"
#include "protocol/node.hpp"
#include "sim/event_queue.hpp"
#include "sim/input_table.hpp"
#include "sim/machine.hpp"
#include "sim/network.hpp"
#include "sim/random.hpp"

namespace ringcast::sim {

/// What a restarted daemon finds of what it stored.
enum class Storage : std::uint8_t {
  kept,
  lost,
  torn,    ///< the value before the last
  stale,   ///< the first it ever wrote: a snapshot from long ago
  copied,  ///< the file of the next machine
};
enum class Ending : std::uint8_t { crashed, left };

std::string_view to_string(Storage storage);
std::optional<Storage> parse_storage(std::string_view text);

struct ClusterConfig {
  std::vector<std::string> names;
  RingConfig ring;
  std::vector<RingConfig> ring_of;  ///< by machine, when they are not configured alike
  SessionConfig session;
  Duration input_cost{std::chrono::microseconds{5}};   ///< processor time of any input
  Duration packet_cost{std::chrono::microseconds{1}};  ///< and of each packet in or out
  Duration persist_min{std::chrono::microseconds{500}};
  Duration persist_max{std::chrono::milliseconds{5}};
  Duration socket_delay{std::chrono::microseconds{20}};  ///< between a client and its daemon
  std::size_t socket_bytes{std::size_t{208} << 10U};     ///< what a client socket holds each way
  std::size_t receive_buffer_bytes{212992};
  std::size_t receive_buffer_told{212992};  ///< what the nodes believe they have
  std::uint32_t datagram_bytes_max{1472};
  StoredState stored;          ///< on every disk at first
  Duration clock_ahead{0};     ///< of every process, from the beginning
  bool small_boot_ids{false};  ///< 1, 2, 3 ... in order of start: for transcripts
};

using ConnectionId = std::size_t;

/// A client's end of its socket. Called between inputs; may call Cluster's client functions.
class ClientEnd {
 public:
  virtual ~ClientEnd() = default;
  /// There is something to read.
  virtual void on_readable() = 0;
  /// The daemon closed, crashed or refused; what it wrote before can still be read. `cut_off`:
  /// it had more to say than the socket took, the reason perhaps among it.
  virtual void on_hung_up(bool cut_off) = 0;
};

/// Sees what happens inside. Must not call back into the cluster.
class ClusterObserver {
 public:
  virtual ~ClusterObserver() = default;
  virtual void on_started(std::size_t host, BootId boot, Storage storage) = 0;
  virtual void on_ended(std::size_t host, Ending ending) = 0;
  virtual void on_ordered(std::size_t host, const OrderedEvent& event) = 0;
  virtual void on_trace(std::size_t host, const TraceEvent& event) = 0;
  /// After each input of a node, and each delivery, before its effects are carried out.
  virtual void on_input(std::size_t host) = 0;
  [[nodiscard]] virtual bool listens(TraceKind kind, TraceLevel level) const = 0;
};

struct ClusterCounts {
  std::uint64_t inputs{0};
  std::uint64_t packets_overflowed{0};
  std::uint64_t crashes{0};
  std::uint64_t restarts{0};
  std::uint64_t pauses{0};
  std::uint64_t leaves{0};
  std::uint64_t sends_refused{0};
  std::uint64_t persists{0};
  std::uint64_t persists_failed{0};
  std::uint64_t crashes_behind_token{0};           ///< the token was out, some of its data was not
  std::array<std::uint64_t, fuse_points> fuses{};  ///< processes that ended there
};

class Cluster {
 public:
  /// `network` and `observer` must outlive the cluster.
  Cluster(ClusterConfig config, Network& network, ClusterObserver& observer, Random random);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  Cluster(Cluster&&) = delete;
  Cluster& operator=(Cluster&&) = delete;

  // Machines. Each is a request to the simulated operator and takes effect now.
  void start(std::size_t index, Storage storage = Storage::kept);
  void crash(std::size_t index);
  /// Crashes it in the middle of its next output, after that many more datagrams.
  void crash_in_output(std::size_t host, std::size_t datagrams) {
    set_fuse(host, FusePoint::send, datagrams);
  }
  /// Crashes it after that many more of what happens at that point.
  void set_fuse(std::size_t host, FusePoint point, std::size_t count);
  void pause(std::size_t index);
  void resume(std::size_t index);
  void leave(std::size_t index);
  /// The daemons its configuration names; all at first. Read at start, or at once when it is up.
  void configure(std::size_t index, std::vector<std::string> daemons);
  /// What its disk says when it starts next.
  void set_stored(std::size_t index, const StoredState& stored);
  [[nodiscard]] const Condition& condition(std::size_t host) const;
  void set_condition(std::size_t host, const Condition& condition);
  void set_clock_rate(std::size_t index, std::int64_t per_million);
  void jump_clock(std::size_t index, Duration ahead);
  /// Nothing is wrong with it any more, and its configuration names all daemons.
  void mend(std::size_t index);
  [[nodiscard]] bool is_up(std::size_t host) const;
  [[nodiscard]] bool is_paused(std::size_t host) const;
  [[nodiscard]] bool is_leaving(std::size_t host) const;
  /// Null when down.
  [[nodiscard]] const Node* node(std::size_t host) const;
  /// What is on its disk.
  [[nodiscard]] const StoredState& stored(std::size_t host) const;

  // Clients.
  ConnectionId connect(std::size_t index, ClientEnd& end);
  /// How many bytes client_write would take now.
  [[nodiscard]] std::size_t client_room(ConnectionId id) const;
  /// Takes what fits; returns how many.
  std::size_t client_write(ConnectionId id, std::span<const std::byte> bytes);
  std::vector<std::byte> client_read(ConnectionId id, std::size_t bytes_max);
  /// The client is gone: nothing more reaches its ClientEnd.
  void client_hang_up(ConnectionId id);
  /// Nothing is under way on this connection, in either direction.
  [[nodiscard]] bool is_drained(ConnectionId id) const;

  // Time.
  [[nodiscard]] Instant now() const { return now_; }
  void at(Instant when, std::function<void()> action);
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }
  /// Before all else at that instant: what is done to a cluster from outside then depends on the
  /// time alone, and can be done again. REQUIRES: when > now().
  void before_all_at(Instant when, std::function<void()> action);
  /// Handles the next event if it is due by `limit`; otherwise moves the clock there.
  bool step(Instant limit);
  void run_until(Instant limit);

  /// Told when a node asks for its ring numbers to be stored.
  void set_persist_listener(std::function<void(std::size_t host)> listener) {
    persist_listener_ = std::move(listener);
  }
  /// Told of each datagram that a node takes.
  void set_packet_listener(
      std::function<void(std::size_t host, std::span<const std::byte> bytes)> listener) {
    packet_listener_ = std::move(listener);
  }

  [[nodiscard]] std::size_t hosts() const { return config_.names.size(); }
  [[nodiscard]] const std::string& name(std::size_t host) const { return config_.names[host]; }
  [[nodiscard]] const ClusterConfig& config() const { return config_; }
  [[nodiscard]] const ClusterCounts& counts() const { return counts_; }
  /// Of a batch of packets only the first is counted: the others may meet another phase.
  [[nodiscard]] const InputTable& input_table() const { return input_table_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] const Network& network() const { return network_; }
  /// A sentence when some node spun on its timer without doing anything; a bug.
  [[nodiscard]] const std::string& livelock() const { return livelock_; }

 private:
  struct Host;
  struct Connection;
  using Input = std::function<void(Node&, Instant, Effects&)>;

  bool step_from_outside(Instant limit);
  [[nodiscard]] NodeConfig node_config(const Host& host) const;
  void arrive(Flight flight);
  void poke(Host& host);
  void turn(Host& host);
  void handle(EventQueue::Event event);
  bool take_packets(Host& host, Effects& effects);
  bool take_timer(Host& host, Effects& effects);
  bool take_queued_input(Host& host, Effects& effects);
  bool take_client(Host& host, Effects& effects);
  bool serve_connection(Host& host, Connection& connection, Effects& effects);
  [[nodiscard]] bool has_work(const Host& host) const;
  [[nodiscard]] bool wants_service(const Host& host, const Connection& connection) const;
  void count_input(const Host& host, InputKind kind);
  void finish_input(Host& host, Instant at, Effects& effects);
  bool carry_out(Host& host, Instant& at, Effects& effects);
  bool transmit(Host& host, Instant& at, Effects& effects);
  void persist(Host& host, Instant at, const StoredState& stored);
  void written(Host& host, const StoredState& stored);
  bool write_to_clients(Host& host, Effects& effects);
  [[nodiscard]] StoredState stored_for(const Host& host, Storage storage) const;
  [[nodiscard]] Duration packet_cost(const Host& host) const;
  void observe(Host& host, const OrderedEvent& event);
  bool burns_down(Host& host, FusePoint point);
  void fill_socket(Host& host, Connection& connection);
  void end_process(Host& host, Ending ending);
  void hang_up_later(Connection& connection);
  void readable_later(Connection& connection);

  ClusterConfig config_;
  Network& network_;
  ClusterObserver& observer_;
  Random random_;
  Instant now_{std::chrono::seconds{1}};
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Connection>> connections_;
  EventQueue events_;
  EventQueue from_outside_;
  std::map<NodeId, std::size_t> host_of_;
  std::uint32_t boots_{0};
  ClusterCounts counts_;
  InputTable input_table_;
  std::function<void(std::size_t)> persist_listener_;
  std::function<void(std::size_t, std::span<const std::byte>)> packet_listener_;
  std::string livelock_;
};

}  // namespace ringcast::sim
