// SPDX-License-Identifier: Apache-2.0
//
// RingSource: the monitor's session. Joins the groups, hands their lines on, and
// publishes alerts. A session that ends is made again; what was published in between is not
// seen, and the state says how many sessions there were.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/ringlog-monitor/line_sink.hpp"
#include "tools/ringlog-monitor/ring_lines.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"
#include "tools/ringlog/link.hpp"

namespace ringcast::monitor {

class RingSource {
 public:
  using Clock = Client::Clock;

  /// `sink` outlives this.
  RingSource(const ClientOptions& options, std::vector<std::string> groups, LineSink& sink);

  /// Connects when it is time to, and takes a bounded part of what is there.
  void step(Instant now);
  /// More is there at once: do not wait.
  [[nodiscard]] bool has_more() const { return has_more_; }
  /// -1 without a session.
  [[nodiscard]] int fd();
  [[nodiscard]] bool wants_write();
  /// When to call step() at the latest.
  [[nodiscard]] Clock::time_point next_step(Clock::time_point otherwise);

  /// Sends as soon as there is a session; the oldest of too many is dropped and said so.
  void publish(const std::string& group, const std::string& text);
  /// Asks the daemon for its status, and waits a little for it.
  void ask_status();
  void close();

  [[nodiscard]] const RingState& state() const { return state_; }
  /// All groups have answered the join.
  [[nodiscard]] bool has_joined() const { return state_.members.size() == groups_.size(); }
  [[nodiscard]] const ringlog::Link& link() const { return link_; }

 private:
  struct Outgoing {
    std::string group;
    std::string text;
  };

  void begin_session();
  void end_session(const std::string& reason);
  void take(const Event& event, Instant now);
  void send();

  std::vector<std::string> groups_;
  LineSink& sink_;
  ringlog::Link link_;
  RingLines lines_;
  RingState state_;
  std::deque<Outgoing> outgoing_;
  bool has_more_{false};
};

}  // namespace ringcast::monitor
