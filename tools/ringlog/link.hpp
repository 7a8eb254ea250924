// SPDX-License-Identifier: Apache-2.0
//
// Link: a session that is made again whenever it ends, with pauses that grow until one lasts,
// and says so on stderr. It connects beside the program, which must go on reading its input: a call
// never waits for a daemon that does not answer, nor for the resolution of a name. Of several
// daemons the next is tried, around and around, when one does not answer or ends a session. What
// was delivered or confirmed in between is the owner's business.
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

namespace ringcast::ringlog {

class Link {
 public:
  using Clock = Client::Clock;

  Link(ClientOptions options, std::string program);
  /// Any of these, the first first. REQUIRES: not empty.
  Link(std::vector<ClientOptions> daemons, std::string program);

  /// Null while there is no session.
  [[nodiscard]] Client* client() { return client_ ? &*client_ : nullptr; }
  /// Begins to connect when it is time to, and looks whether that has succeeded; true when a
  /// session has just begun. Takes a few milliseconds at most.
  bool try_connect(Clock::time_point now);
  /// The session is over, or is to be.
  void drop(const std::string& reason);
  /// When to call try_connect next. REQUIRES: no session.
  [[nodiscard]] Clock::time_point next_attempt() const { return next_attempt_; }

  [[nodiscard]] bool is_connecting() const { return attempt_.valid(); }
  /// Why connecting again is pointless: wrong name or address, or a version too far apart.
  [[nodiscard]] const std::optional<Error>& fatal() const { return fatal_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }
  [[nodiscard]] bool was_ever_connected() const { return ever_connected_; }

 private:
  bool take_up(Result<Client> client);
  void turn_to_next();
  void pause_before_next(Clock::time_point now);

  std::vector<ClientOptions> daemons_;
  std::size_t present_{0};   // of daemons_
  std::size_t refusals_{0};  // in a row, for good
  std::string program_;
  std::optional<Client> client_;
  std::future<Result<Client>> attempt_;  // going on when valid; its end waits for it
  Clock::time_point next_attempt_{};
  std::chrono::milliseconds pause_;
  Clock::time_point connected_at_{};
  std::optional<Error> fatal_;
  std::string last_error_{"no answer from the daemon yet"};
  bool ever_connected_{false};
  bool told_{false};  // of the present outage
};

}  // namespace ringcast::ringlog
