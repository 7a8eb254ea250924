// SPDX-License-Identifier: Apache-2.0
//
// The sockets between clients and their daemons.
#include <algorithm>
#include <utility>

#include "sim/cluster.hpp"
#include "sim/cluster_host.hpp"

namespace ringcast::sim {

/// False when the process died on the way.
bool Cluster::write_to_clients(Host& host, Effects& effects) {
  const auto find = [&](SessionId session) -> Connection* {
    for (const ConnectionId id : host.connections) {
      if (connections_[id]->session == session) return connections_[id].get();
    }
    return nullptr;
  };
  for (ClientWrite& write : effects.client_writes) {
    if (burns_down(host, FusePoint::delivery)) {
      crash(host.index);
      return false;
    }
    Connection* connection = find(write.session);
    if (connection == nullptr) continue;  // its client hung up in this very input
    connection->queued.push_back(write.frames.front());
    for (const BufferRef& more : write.frames.rest()) {
      connection->queued.push_back(more);
    }
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
  return true;
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
