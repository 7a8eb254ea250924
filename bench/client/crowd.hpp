// SPDX-License-Identifier: Apache-2.0
//
// Crowd: many sessions of one process, each in a group. At rest they are merely there; in churn
// each leaves its group and joins its next one, as fast as the system confirms it, so that all
// groups are visited. No two sessions of one crowd are ever in the same group, which Corosync
// would not allow; sessions of other crowds are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/adapter.hpp"
#include "client/message.hpp"

namespace ringcast::bench {

class Crowd {
 public:
  using Open = std::function<Opened(const std::string& group, Sink& sink)>;

  Crowd(std::size_t sessions, std::size_t groups);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  /// Opens all sessions; returns when each is in its group.
  Result<void> open(const Open& open);
  /// Until `commands` ends.
  Result<void> rest(int commands);
  /// Joins and leaves that took effect until then.
  Result<std::uint64_t> churn(Clock::time_point end);

 private:
  class Session;

  Result<void> turn(int commands, Clock::time_point deadline);
  [[nodiscard]] std::uint64_t changes() const;
  [[nodiscard]] std::size_t joined() const;

  std::size_t sessions_;
  std::size_t groups_;
  std::vector<std::unique_ptr<Session>> members_;
};

}  // namespace ringcast::bench
