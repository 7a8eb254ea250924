// SPDX-License-Identifier: Apache-2.0
#include "daemon/driver.hpp"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

namespace ringcast {
namespace {

constexpr int network_rounds_max = 16;  // then the clients have their turn
constexpr int accepts_max = 32;
constexpr int reads_max = 32;
constexpr std::size_t client_input_bytes = std::size_t{256} << 10U;
constexpr std::chrono::seconds persist_pause{1};
/// For each client, while more is coming: it begins with it on another processor.
constexpr std::size_t unflushed_of_each_max = std::size_t{32} << 10U;
/// What may wait for clients before they are served in the middle of a turn: else a turn with
/// much traffic would count against the backlog, and the credit, of clients that read as fast as
/// they can.
std::size_t unflushed_max(const SessionConfig& session) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20U;
  return std::min({most, session.backlog_bytes_max / 4, session.credit_bytes / 2});
}

}  // namespace

Instant read_clock() {
  timespec now{};
  (void)::clock_gettime(CLOCK_BOOTTIME, &now);
  return Instant{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

/// One socket of the transport as Asio sees it. The descriptor stays the transport's.
struct Driver::Pipe {
  Pipe(asio::io_context& io, int native) : descriptor(io) {
    asio::error_code error;
    descriptor.assign(native, error);
  }
  ~Pipe() { (void)descriptor.release(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;

  asio::posix::stream_descriptor descriptor;
  bool watched{false};
  bool readable{false};
};

Driver::Driver(asio::io_context& io, NodeConfig config, StateFile state, TraceSink* trace)
    : io_(io),
      unflushed_bytes_max_(unflushed_max(config.session)),
      node_(std::move(config), trace),
      transport_(
          [this](std::string_view counter, std::uint64_t more) { node_.count(counter, more); }),
      server_(
          io,
          SessionServer::Hooks{
              .wake = [this] { wake(); },
              .count = [this](
                           std::string_view counter,
                           std::uint64_t more) { node_.count(counter, more); }}),
      state_(std::move(state)),
      timer_(io),
      patience_(io),
      client_input_(client_input_bytes),
      persist_retry_(io) {
  node_.observe([this](const OrderedEvent& event) {
    const auto* const change = std::get_if<ConfigurationChange>(&event);
    if (change != nullptr && change->kind == ConfigurationChange::Kind::regular) {
      announced_ = false;
    }
  });
}

Driver::~Driver() { disk_.join(); }

std::optional<SetupFailure> Driver::open(
    const UdpOptions& udp, const SessionServerOptions& clients) {
  if (auto failure = transport_.open(udp)) return failure;
  if (auto failure = server_.open(clients)) return failure;
  for (const int native : transport_.sockets()) {
    pipes_.push_back(std::make_unique<Pipe>(io_, native));
  }
  return std::nullopt;
}

void Driver::start(const StoredState& stored, StartFacts facts, Hooks hooks) {
  hooks_ = std::move(hooks);
  facts.datagram_bytes_max = transport_.datagram_bytes_max();
  facts.receive_buffer_bytes = transport_.receive_buffer_bytes();
  spdlog::info(
      "sockets open datagram_bytes={} receive_buffer_bytes={}",
      facts.datagram_bytes_max,
      facts.receive_buffer_bytes);
  step([&](Instant now, Effects& effects) { node_.on_start(now, stored, facts, effects); });
  for (std::size_t i = 0; i < pipes_.size(); ++i) {
    watch_network(i);
  }
  finish_turn();
}

void Driver::leave(std::chrono::milliseconds patience) {
  if (leaving_ || stopped_) return;
  leaving_ = true;
  server_.stop_accepting();
  patience_.expires_after(patience);
  patience_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled) return;
    spdlog::warn("the ring did not let us leave in time -> leaving without");
    stop();
  });
  step([&](Instant now, Effects& effects) { node_.on_leave(now, effects); });
  finish_turn();
}

Result<void> Driver::reload(const NodeConfig& config, std::vector<UdpPeer> peers) {
  Result<void> outcome;
  step([&](Instant now, Effects& effects) { outcome = node_.on_reload(now, config, effects); });
  if (outcome) {
    transport_.set_peers(std::move(peers));
    unflushed_bytes_max_ = unflushed_max(config.session);
    announced_ = false;
  }
  finish_turn();
  return outcome;
}

// Turns.

void Driver::watch_network(std::size_t index) {
  auto& pipe = *pipes_[index];
  if (pipe.watched) return;
  pipe.watched = true;
  pipe.descriptor.async_wait(
      asio::posix::descriptor_base::wait_read, [this, index](const asio::error_code& error) {
        if (error || stopped_) return;
        pipes_[index]->watched = false;
        pipes_[index]->readable = true;
        turn();
      });
}

/// A turn of its own, after the handlers that are already due.
void Driver::wake() {
  if (turn_posted_ || stopped_) return;
  turn_posted_ = true;
  asio::post(io_, [this] {
    turn_posted_ = false;
    turn();
  });
}

void Driver::turn() {
  if (stopped_) return;
  const bool more = serve_network();
  serve_clients();
  finish_turn();
  if (stopped_) return;
  if (more || server_.has_work()) wake();
}

/// True when the network still has something for us.
bool Driver::serve_network() {
  bool more{false};
  for (std::size_t i = 0; i < pipes_.size(); ++i) {
    drain_pipe(i);
    more = more || pipes_[i]->readable;
    if (!pipes_[i]->readable) watch_network(i);
  }
  return more;
}

/// Batch after batch, each one input, until the socket is empty or others must have a turn.
void Driver::drain_pipe(std::size_t index) {
  auto& pipe = *pipes_[index];
  for (int round = 0; round < network_rounds_max && pipe.readable; ++round) {
    datagrams_.clear();
    pipe.readable = transport_.receive(index, datagrams_);
    if (datagrams_.empty()) continue;
    step([&](Instant now, Effects& effects) { node_.on_packets(now, datagrams_, effects); });
  }
  datagrams_.clear();
}

void Driver::serve_clients() {
  accept_clients();
  for (int reads = 0; reads < reads_max; ++reads) {
    const auto session = server_.next_readable();
    if (!session) return;
    read_client(*session);
    for (auto& pipe : pipes_) {
      pipe->readable = true;
    }
    (void)serve_network();
  }
}

void Driver::accept_clients() {
  for (int accepts = 0; accepts < accepts_max; ++accepts) {
    const auto accepted = server_.accept();
    if (!accepted) return;
    bool adopted{true};
    SessionId opened;
    step([&](Instant now, Effects& effects) {
      opened = node_.on_client_open(now, effects);
      adopted = server_.adopt(opened, *accepted);
    });
    if (!adopted) {
      close_client(opened);
      deliver();
    }
  }
}

void Driver::read_client(SessionId session) {
  if (!node_.may_read(session)) {
    server_.pause(session);
    return;
  }
  if (node_.holds_requests(session)) {
    take_bytes(session, {});
    server_.rest(session, true);  // behind those who wait for their turn
    return;
  }
  const auto read = server_.read(session, client_input_);
  if (read.closed) {
    close_client(session);
    deliver();
    return;
  }
  if (read.count > 0) take_bytes(session, std::span{client_input_}.first(read.count));
  const bool has_more = read.count == client_input_.size() || node_.holds_requests(session);
  server_.rest(session, has_more);
}

void Driver::take_bytes(SessionId session, std::span<const std::byte> bytes) {
  step([&](Instant now, Effects& effects) { node_.on_client_bytes(now, session, bytes, effects); });
}

/// What follows from it is still to be delivered.
void Driver::close_client(SessionId session) {
  server_.forget(session);
  perform([&](Instant now, Effects& effects) { node_.on_client_closed(now, session, effects); });
}

/// True when a client turned out to be gone: what follows from it is still to be delivered.
bool Driver::flush_clients() {
  unflushed_bytes_ = 0;
  bool any_gone{false};
  for (const auto& flushed : server_.flush()) {
    if (flushed.count > 0) report_written(flushed);
    if (flushed.closed) close_client(flushed.session);
    any_gone = any_gone || flushed.closed;
  }
  return any_gone;
}

void Driver::report_written(const SessionServer::Flushed& flushed) {
  perform([&](Instant now, Effects& effects) {
    node_.on_client_written(now, flushed.session, flushed.count, effects);
  });
}

void Driver::finish_turn() {
  if (flush_clients()) deliver();
  server_.resume([this](SessionId session) { return node_.may_read(session); });
  if (!announced_) announce();
  if (leaving_ && node_.stopped()) {
    stop();
    return;
  }
  arm_timer();
}

void Driver::announce() {
  if (!hooks_.operational) return;
  const auto status = node_.status(read_clock());
  announced_ = status.state == "operational";
  if (announced_) hooks_.operational(status);
}

/// A timer that would fire early is left alone: deadlines move out with every token.
void Driver::arm_timer() {
  const auto deadline = node_.next_deadline();
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  armed_ = deadline;
  timer_.expires_after(
      std::chrono::duration_cast<asio::steady_timer::duration>(*deadline - read_clock()));
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled && !stopped_) on_timer();
  });
}

void Driver::on_timer() {
  armed_.reset();
  const auto due = node_.next_deadline();
  if (due && *due <= read_clock()) {
    step([&](Instant now, Effects& effects) { node_.on_timer(now, effects); });
  }
  finish_turn();
}

void Driver::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  patience_.cancel();
  persist_retry_.cancel();
  server_.stop_accepting();
  server_.close_all();
  pipes_.clear();
  transport_.close();
  if (hooks_.stopped) hooks_.stopped();
}

// Inputs and effects.

template <class Input>
void Driver::step(Input&& input) {
  perform(input);
  deliver();
}

template <class Input>
void Driver::perform(Input&& input) {
  effects_.clear();
  input(read_clock(), effects_);
  carry_out();
}

/// All that is ordered, a slice at a time. Between two of them the sockets take what they can:
/// a client's backlog is what its socket did not take, not what we have not offered to it.
void Driver::deliver() {
  bool more{true};
  while (more) {
    perform([&](Instant now, Effects& effects) { more = node_.deliver(now, effects); });
    if (is_much_unflushed() && flush_clients()) more = true;
  }
}

/// Of what is for many clients each has little: writing to all of them so often would cost more
/// than it gains.
bool Driver::is_much_unflushed() const {
  const auto of_all = server_.sessions_with_output() * unflushed_of_each_max;
  return unflushed_bytes_ > std::min(unflushed_bytes_max_, of_all);
}

void Driver::carry_out() {
  for (auto& transmit : effects_.transmits) {
    node_.seal(transmit.packet);
  }
  transport_.send(effects_.peer_sets, effects_.transmits);
  if (effects_.persist) persist(*effects_.persist);
  for (auto& write : effects_.client_writes) {
    unflushed_bytes_ += write.frames.size();
    server_.write(std::move(write));
  }
  for (const auto& close : effects_.client_closes) {
    server_.close(close.session);
  }
}

// What must survive a restart. The disk may be slow; the token is not to wait for it.

void Driver::persist(const StoredState& state) {
  to_persist_ = state;
  start_persist();
}

void Driver::start_persist() {
  if (persisting_ || !to_persist_) return;
  persisting_ = true;
  const auto state = *std::exchange(to_persist_, std::nullopt);
  asio::post(disk_, [this, state] {
    auto outcome = state_.store(state);
    asio::post(io_, [this, state, outcome = std::move(outcome)] { persisted(state, outcome); });
  });
}

void Driver::persisted(const StoredState& state, const Result<void>& outcome) {
  persisting_ = false;
  if (stopped_) return;
  if (outcome) {
    step([&](Instant now, Effects& effects) { node_.on_persisted(now, state, effects); });
    start_persist();
    finish_turn();
    return;
  }
  node_.count("state_write_errors", 1);
  warn_limited(
      warnings_,
      "state",
      outcome.error().message + " -> trying again every second; no new ring until then");
  if (!to_persist_) to_persist_ = state;
  persist_retry_.expires_after(persist_pause);
  persist_retry_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) start_persist();
  });
}

}  // namespace ringcast
