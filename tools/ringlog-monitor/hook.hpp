// SPDX-License-Identifier: Apache-2.0
//
// Hook: the command that is run for each alert, by /bin/sh, beside the monitor. The alert is in
// its environment, never in the command itself: names in it come from the network. A few run at
// once; some wait; further ones, and those that take too long, are given up and said so.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tools/ringlog-monitor/figures/alerts.hpp"

namespace ringcast::monitor {

class Hook {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t running_max = 4;
  static constexpr std::size_t waiting_max = 64;

  /// An empty command does nothing.
  explicit Hook(std::string command) : command_(std::move(command)) {}
  /// Commands that are still running go on by themselves.
  ~Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  void add(const Alert& alert);
  /// Starts what can be started and looks after what has ended.
  void step(Clock::time_point now);
  /// Waits for all that was added, until the deadline.
  void finish(Clock::time_point deadline);
  [[nodiscard]] bool is_idle() const { return running_.empty() && waiting_.empty(); }

 private:
  struct Running {
    pid_t process{0};
    Clock::time_point deadline;
  };

  bool start(const Alert& alert, Clock::time_point now);
  bool has_ended(const Running& running, Clock::time_point now) const;

  std::string command_;
  std::deque<Alert> waiting_;
  std::vector<Running> running_;
};

}  // namespace ringcast::monitor
