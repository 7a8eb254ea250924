// SPDX-License-Identifier: Apache-2.0
//
// Sender: publishes many messages with as many in flight as the daemon's credit allows, and
// hands every event that arrives meanwhile to its owner. It counts confirmations, so that
// the owner can say "all are confirmed" and mean it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "ringcast/client.hpp"

namespace ringcast::tools {

class Sender {
 public:
  using OnEvent = std::function<void(const Event&)>;

  /// `client` outlives this.
  Sender(Client& client, OnEvent on_event) : client_(client), on_event_(std::move(on_event)) {}

  /// Publishes, waiting for credit until the deadline; for ever without one.
  /// Errors: as Client::publish, but never inbox_full; closed when the session ended.
  Result<void> send(const Publication& publication, std::optional<Client::Deadline> deadline);

  /// Hands over the events that are here, without waiting. Errors: closed.
  Result<void> drain();

  /// Waits until everything sent is confirmed or refused. Errors: timed_out, closed.
  Result<void> finish(std::optional<Client::Deadline> deadline);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
  [[nodiscard]] std::uint64_t transitional() const { return transitional_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t in_flight() const { return sent_ - confirmed_ - refused_; }

 private:
  Result<void> take(const Event& event);

  Client& client_;
  OnEvent on_event_;
  std::uint64_t sent_{0};
  std::uint64_t confirmed_{0};
  std::uint64_t transitional_{0};
  std::uint64_t refused_{0};
};

}  // namespace ringcast::tools
