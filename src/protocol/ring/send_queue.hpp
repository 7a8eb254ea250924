// SPDX-License-Identifier: Apache-2.0
//
// SendQueue: messages waiting for the token, in the order they were submitted. Exchange
// messages of the groups go first; client messages wait behind the gate [GRP-5]. A message
// that was only partly originated when its ring broke is sent whole again on the next [ORD-8].
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "ringcast/service.hpp"

#include "protocol/base/buffer.hpp"

namespace ringcast {

struct Outgoing {
  BufferRef bytes;
  Service service{Service::agreed};
  std::size_t sent{0};  ///< bytes already in originated fragments
  bool started{false};
};

class SendQueue {
 public:
  void push_client(BufferRef&& bytes, Service service);
  void push_exchange(BufferRef bytes);

  /// The message to originate next, or nothing. Client messages only with `gate_open`.
  [[nodiscard]] Outgoing* front(bool gate_open);
  /// Removes what front returned. REQUIRES: front(gate_open) != nullptr.
  void pop(bool gate_open);

  /// The ring broke: drops exchange messages, starts a half-sent client message over.
  void restart();

  [[nodiscard]] bool empty(bool gate_open) const;
  /// Bytes waiting, behind the gate or not.
  [[nodiscard]] std::uint64_t bytes() const { return exchange_bytes_ + client_bytes_; }
  /// Bytes that may be originated now.
  [[nodiscard]] std::uint64_t ready_bytes(bool gate_open) const {
    return exchange_bytes_ + (gate_open ? client_bytes_ : 0);
  }

 private:
  std::deque<Outgoing> exchange_;
  std::deque<Outgoing> client_;
  std::uint64_t exchange_bytes_{0};
  std::uint64_t client_bytes_{0};
};

}  // namespace ringcast
