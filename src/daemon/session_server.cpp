// SPDX-License-Identifier: Apache-2.0
#include "daemon/session_server.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "daemon/listeners.hpp"
#include "daemon/system_message.hpp"
#include "daemon/tcp_liveness.hpp"

namespace ringcast {
namespace {

constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds farewell_time{5};
constexpr std::chrono::seconds pulse_interval{2};
constexpr std::size_t farewells_max = 64;
constexpr int send_buffer_bytes = 1 << 20;
constexpr std::size_t memories_max = 8192;  // of 4 mappings each; a process has 65,530
constexpr int descriptors_spared = 16;      // for the state file, the configuration, the resolver

}  // namespace

struct SessionServer::Listener {
  Listener(asio::io_context& io, int native, bool is_tcp)
      : descriptor(io, native), timer(io), tcp(is_tcp) {}

  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;  ///< while there are no descriptors to accept with
  bool tcp{false};
  bool ready{false};
};

/// A socket whose session is over and whose client has not read why.
struct SessionServer::Farewell {
  Farewell(asio::io_context& io, ConnectionRef closing)
      : connection(std::move(closing)), timer(io) {}

  ConnectionRef connection;
  asio::steady_timer timer;
};

SessionServer::SessionServer(asio::io_context& io, Hooks hooks)
    : io_(io), hooks_(std::move(hooks)), pulse_(io) {}

SessionServer::~SessionServer() { stop_accepting(); }

std::optional<SetupFailure> SessionServer::open(const SessionServerOptions& options) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < rlim_t{INT_MAX}) {
    descriptors_max_ = static_cast<int>(limit.rlim_cur) - descriptors_spared;
  }
  const auto add = [this](const Listening& listening, bool tcp) -> std::optional<SetupFailure> {
    if (const auto* failure = std::get_if<SetupFailure>(&listening)) return *failure;
    listeners_.push_back(std::make_shared<Listener>(io_, std::get<int>(listening), tcp));
    return std::nullopt;
  };
  if (auto failure = add(listen_unix(options.socket, options.mode), false)) return failure;
  shared_memory_ = options.shared_memory;
  socket_ = options.socket;
  (void)::stat(socket_.c_str(), &socket_file_);
  if (options.tcp) {
    if (auto failure = add(listen_tcp(*options.tcp), true)) return failure;
  }
  for (const auto& listener : listeners_) {
    watch(listener);
  }
  return std::nullopt;
}

void SessionServer::stop_accepting() {
  for (const auto& listener : listeners_) {
    asio::error_code ignored;
    listener->descriptor.close(ignored);
    listener->timer.cancel();
  }
  listeners_.clear();
  // Another daemon may have made its socket there since, when somebody removed ours.
  struct stat now {};
  const bool is_ours = !socket_.empty() && ::stat(socket_.c_str(), &now) == 0 &&
                       now.st_dev == socket_file_.st_dev && now.st_ino == socket_file_.st_ino;
  if (is_ours) (void)::unlink(socket_.c_str());
  socket_.clear();
}

void SessionServer::close_all() {
  for (const auto& [session, connection] : connections_) {
    (void)connection->flush_all();
    connection->close();
  }
  for (const auto& farewell : std::exchange(farewells_, {})) {
    farewell->connection->close();
    farewell->timer.cancel();
  }
  pulse_.cancel();
  connections_.clear();
  readable_.clear();
  paused_.clear();
  output_.clear();
}

void SessionServer::watch(const std::shared_ptr<Listener>& listener) {
  listener->descriptor.async_wait(
      asio::posix::descriptor_base::wait_read, [this, listener](const asio::error_code& error) {
        if (error) return;
        listener->ready = true;
        hooks_.wake();
      });
}

void SessionServer::back_off(const std::shared_ptr<Listener>& listener, int error) {
  hooks_.count("accept_errors", 1);
  warn_limited(
      warnings_,
      "accept",
      "cannot accept a client: " + system_message(error) +
          " -> trying again shortly; raise the limit of open files");
  listener->timer.expires_after(accept_pause);
  listener->timer.async_wait([this, listener](const asio::error_code& cancelled) {
    if (!cancelled) watch(listener);
  });
}

std::optional<SessionServer::Accepted> SessionServer::accept() {
  for (const auto& listener : listeners_) {
    const int client = accept_at(listener);
    if (client >= 0) return Accepted{.descriptor = client, .tcp = listener->tcp};
  }
  return std::nullopt;
}

/// -1 when nobody waits there, or none can be let in now.
int SessionServer::accept_at(const std::shared_ptr<Listener>& listener) {
  while (listener->ready) {
    const int client = ::accept4(
        listener->descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int error = client < 0 ? errno : EMFILE;
    if (client >= 0 && client < descriptors_max_) return client;
    if (client >= 0) (void)::close(client);
    if (error == EINTR || error == ECONNABORTED) continue;
    listener->ready = false;
    if (error == EAGAIN) {
      watch(listener);
    } else {
      back_off(listener, error);
    }
  }
  return -1;
}

bool SessionServer::adopt(SessionId session, Accepted accepted) {
  if (!accepted.tcp) {
    // A reader that waits for its turn on a busy host should find much at once. (TCP sizes its
    // buffers itself.)
    (void)::setsockopt(
        accepted.descriptor, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof(send_buffer_bytes));
  } else {
    const int on{1};
    (void)::setsockopt(accepted.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)keep_alive(accepted.descriptor);
  }
  using Kind = ClientConnection::Kind;
  const bool takes_memory = shared_memory_ && connections_.size() < memories_max;
  const auto local = takes_memory ? Kind::local_memory : Kind::local;
  auto connection = std::make_shared<ClientConnection>(
      io_, accepted.descriptor, accepted.tcp ? Kind::tcp : local);
  if (!connection->is_open()) return false;
  connections_[session] = connection;
  wait_readable(session, connection);
  if (accepted.tcp) feel_pulse();
  return true;
}

/// Looks after the clients on other hosts, as long as there are any.
void SessionServer::feel_pulse() {
  if (std::exchange(pulse_runs_, true)) return;
  pulse_.expires_after(pulse_interval);
  pulse_.async_wait([this](const asio::error_code& cancelled) {
    pulse_runs_ = false;
    if (cancelled) return;
    bool any{false};
    for (const auto& [session, connection] : connections_) {
      if (!connection->is_tcp()) continue;
      any = true;
      if (connection->hang_up_if_lost()) hooks_.count("tcp_clients_lost", 1);
    }
    if (any) feel_pulse();
  });
}

SessionServer::ConnectionRef SessionServer::find(SessionId session) const {
  const auto found = connections_.find(session);
  return found == connections_.end() ? nullptr : found->second;
}

void SessionServer::mark_readable(SessionId session) {
  readable_.push_back(session);
  hooks_.wake();
}

void SessionServer::wait_readable(SessionId session, const ConnectionRef& connection) {
  if (connection->has_bells()) {
    connection->waits_read = connection->sleep();
    if (!connection->waits_read) mark_readable(session);
    return;
  }
  connection->descriptor().async_wait(
      asio::posix::descriptor_base::wait_read,
      [this, session, weak = std::weak_ptr<ClientConnection>(connection)](
          const asio::error_code& error) {
        if (error || weak.expired()) return;
        mark_readable(session);
      });
}

void SessionServer::watch_bells(SessionId session, const ConnectionRef& connection) {
  if (std::exchange(connection->watched, true)) return;
  connection->descriptor().async_wait(
      asio::posix::descriptor_base::wait_read,
      [this, session, weak = std::weak_ptr<ClientConnection>(connection)](
          const asio::error_code& error) {
        const auto locked = weak.lock();
        // One that was told to close has its last bell for itself.
        if (error || !locked || find(session) != locked) return;
        locked->watched = false;
        answer_bells(session, locked);
      });
}

/// The client has written, or read, or is gone. A session that is passed over has nobody who reads,
/// but its output goes on.
void SessionServer::answer_bells(SessionId session, const ConnectionRef& connection) {
  const bool more = connection->answer_bells();
  if (std::exchange(connection->waits_write, false)) mark_output(session, *connection);
  if (connection->waits_read && !connection->sleep()) {
    connection->waits_read = false;
    mark_readable(session);
  }
  if (more) watch_bells(session, connection);
}

void SessionServer::wait_writable(SessionId session, const ConnectionRef& connection) {
  if (connection->waits_write) return;
  connection->waits_write = true;
  if (connection->has_bells()) {
    watch_bells(session, connection);
    return;
  }
  connection->descriptor().async_wait(
      asio::posix::descriptor_base::wait_write,
      [this, session, weak = std::weak_ptr<ClientConnection>(connection)](
          const asio::error_code& error) {
        const auto locked = weak.lock();
        if (error || !locked) return;
        locked->waits_write = false;
        mark_output(session, *locked);
      });
}

std::optional<SessionId> SessionServer::next_readable() {
  while (!readable_.empty()) {
    const auto session = readable_.front();
    readable_.pop_front();
    if (connections_.contains(session)) return session;
  }
  return std::nullopt;
}

ClientConnection::Read SessionServer::read(SessionId session, std::span<std::byte> space) {
  const auto connection = find(session);
  if (!connection) return ClientConnection::Read{.count = 0, .closed = true};
  return connection->read(space);
}

void SessionServer::rest(SessionId session, bool more) {
  const auto connection = find(session);
  if (!connection) return;
  if (connection->has_bells()) watch_bells(session, connection);
  if (more) {
    mark_readable(session);
  } else {
    wait_readable(session, connection);
  }
}

void SessionServer::pause(SessionId session) {
  const auto connection = find(session);
  if (!connection) return;
  if (connection->has_bells()) watch_bells(session, connection);
  paused_.push_back(session);
}

void SessionServer::resume(const std::function<bool(SessionId)>& may_read) {
  const auto resumed =
      std::stable_partition(paused_.begin(), paused_.end(), [&](SessionId session) {
        return connections_.contains(session) && !may_read(session);
      });
  if (resumed == paused_.end()) return;
  // They were passed over, so they come before those that were not.
  readable_.insert(readable_.begin(), resumed, paused_.end());
  paused_.erase(resumed, paused_.end());
  hooks_.wake();
}

void SessionServer::mark_output(SessionId session, ClientConnection& connection) {
  // One whose socket was full is tried again too: within a long turn its client may have read,
  // and what it waits for counts against its backlog.
  if (connection.queued_flush) return;
  connection.queued_flush = true;
  output_.push_back(session);
  hooks_.wake();
}

void SessionServer::write(ClientWrite write) {
  const auto connection = find(write.session);
  if (!connection) return;
  connection->enqueue(std::move(write.frames));
  mark_output(write.session, *connection);
}

void SessionServer::close(SessionId session) {
  const auto connection = find(session);
  if (!connection) return;
  const auto written = connection->flush_all();
  if (written.closed || !connection->has_output()) {
    forget(session);
    return;
  }
  connections_.erase(session);
  linger(connection);
}

void SessionServer::linger(const ConnectionRef& connection) {
  if (farewells_.size() >= farewells_max) {
    connection->close();
    return;
  }
  asio::error_code ignored;
  connection->descriptor().cancel(ignored);
  connection->keep_last_words();
  const auto farewell = std::make_shared<Farewell>(io_, connection);
  farewells_.insert(farewell);
  farewell->timer.expires_after(farewell_time);
  farewell->timer.async_wait([this, farewell](const asio::error_code& cancelled) {
    if (!cancelled) end(farewell);
  });
  say(farewell);
}

void SessionServer::say(const std::shared_ptr<Farewell>& farewell) {
  const bool has_bells = farewell->connection->has_bells();
  farewell->connection->descriptor().async_wait(
      has_bells ? asio::posix::descriptor_base::wait_read
                : asio::posix::descriptor_base::wait_write,
      [this, farewell, has_bells](const asio::error_code& error) {
        if (error) return;
        if (has_bells) (void)farewell->connection->answer_bells();
        const auto written = farewell->connection->flush_all();
        if (!written.closed && farewell->connection->has_output()) {
          say(farewell);
        } else {
          end(farewell);
        }
      });
}

void SessionServer::end(const std::shared_ptr<Farewell>& farewell) {
  farewell->timer.cancel();
  farewell->connection->close();
  farewells_.erase(farewell);
}

void SessionServer::forget(SessionId session) {
  const auto connection = find(session);
  if (!connection) return;
  connection->close();
  connections_.erase(session);
}

std::vector<SessionServer::Flushed> SessionServer::flush() {
  std::vector<Flushed> flushed;
  flushed.reserve(output_.size());
  for (const auto session : std::exchange(output_, {})) {
    const auto connection = find(session);
    if (!connection) continue;
    connection->queued_flush = false;
    const auto written = connection->flush();
    flushed.push_back(
        Flushed{.session = session, .count = written.count, .closed = written.closed});
    if (written.closed) continue;
    if (written.blocked) {
      wait_writable(session, connection);
    } else if (connection->has_output()) {
      mark_output(session, *connection);
    }
  }
  return flushed;
}

bool SessionServer::has_work() const {
  if (!readable_.empty() || !output_.empty()) return true;
  for (const auto& listener : listeners_) {
    if (listener->ready) return true;
  }
  return false;
}

}  // namespace ringcast
