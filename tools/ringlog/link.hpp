// SPDX-License-Identifier: Apache-2.0
//
// Link: a session that is made again whenever it ends, with growing pauses, and says so on
// stderr. It connects in short slices, so that a program that must go on reading its input
// is never held up long. What was delivered or confirmed in between is the owner's business.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ringcast/client.hpp"

namespace ringcast::ringlog {

class Link {
 public:
  using Clock = Client::Clock;

  Link(ClientOptions options, std::string program);

  /// Null while there is no session.
  [[nodiscard]] Client* client() { return client_ ? &*client_ : nullptr; }
  /// Connects when it is time to; true when a session has just begun.
  bool try_connect(Clock::time_point now);
  /// The session is over, or is to be.
  void drop(const std::string& reason);
  /// When to call try_connect next. REQUIRES: no session.
  [[nodiscard]] Clock::time_point next_attempt() const { return next_attempt_; }

  /// Why connecting again is pointless: wrong name or address, or a version too far apart.
  [[nodiscard]] const std::optional<Error>& fatal() const { return fatal_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }
  [[nodiscard]] bool was_ever_connected() const { return ever_connected_; }

 private:
  ClientOptions options_;
  std::string program_;
  std::optional<Client> client_;
  Clock::time_point next_attempt_{};
  std::chrono::milliseconds pause_;
  std::chrono::milliseconds slice_;
  std::optional<Error> fatal_;
  std::string last_error_;
  bool ever_connected_{false};
  bool told_{false};  // of the present outage
};

}  // namespace ringcast::ringlog
