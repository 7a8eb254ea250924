// SPDX-License-Identifier: Apache-2.0
//
// Adapter: what the client of the comparison needs of a system, and no more: one session that
// is in one group, sends to it and receives from it. Below it is the system's own client
// library, used as its documentation tells; above it is the same code for every system.
//
// Nothing here waits. The client sleeps in ppoll() on fd() until there is something to receive
// or, after a refused send, something to retry.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ringcast/result.hpp"
#include "ringcast/service.hpp"

namespace ringcast::bench {

/// Where an adapter puts what it receives, in any of its calls. It outlives the adapter.
class Sink {
 public:
  virtual ~Sink() = default;
  /// The bytes live until the call returns.
  virtual void on_message(std::span<const std::byte> message) = 0;
  /// The group has so many members now. Systems without membership never say so.
  virtual void on_members(std::size_t count) = 0;
  /// A leave took effect.
  virtual void on_left() {}
};

/// All that any of the systems wants to know to open a session; each takes what it needs.
struct Setup {
  std::string socket;              ///< of the daemon, where it has one
  std::string group;               ///< to join and to send to
  std::vector<std::string> peers;  ///< addresses of all clients, for systems without daemons
  std::uint32_t rank{0};           ///< our place among them
  Service service{Service::agreed};
  std::size_t message_bytes{0};  ///< of every message
  std::uint64_t window{0};       ///< own messages that may be outstanding
  std::string send;              ///< how to, for systems that leave it to us
  std::string receive;           ///< the same
  bool multicast{false};         ///< the same
};

class Adapter {
 public:
  Adapter() = default;
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;
  virtual ~Adapter() = default;

  /// False: not now. A message that was taken may wait for flush().
  virtual Result<bool> try_send(std::span<const std::byte> message) = 0;
  virtual Result<void> flush() { return {}; }

  /// Gives the sink what has arrived, or a good part of it; true: there may be more at once.
  virtual Result<bool> receive() = 0;

  /// For sessions that come and go. At most one group at a time; the outcome is on_members() or
  /// on_left(). Systems without membership refuse.
  virtual Result<void> join(const std::string& group);
  virtual Result<void> leave(const std::string& group);

  struct Interest {
    int fd{-1};
    bool write{false};
    /// Look again after so long in any case: a refused send for which no event comes.
    std::chrono::nanoseconds retry{std::chrono::hours(1)};
  };
  [[nodiscard]] virtual Interest interest() const = 0;
};

using Opened = Result<std::unique_ptr<Adapter>>;

}  // namespace ringcast::bench
