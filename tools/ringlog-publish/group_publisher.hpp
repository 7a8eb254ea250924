// SPDX-License-Identifier: Apache-2.0
//
// GroupPublisher: one ringlog-publish of its own for one group, below `fan-out`: its
// process, the socket to it, and what waits to go there. The process is started again when it
// ends; what it had not read then is still in the socket, whose both ends are held here.
// Bounded: beyond its limit the newest lines are dropped, counted, and a note with their
// number goes out in their place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tools/ringlog/files.hpp"
#include "tools/ringlog/group_packet.hpp"
#include "tools/ringlog/loss_tally.hpp"

namespace ringcast::ringlog {

class GroupPublisher {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    std::string group;
    std::string program;                 ///< path
    std::vector<std::string> arguments;  ///< without --group
    std::size_t waiting_bytes_max{std::size_t{16} << 20U};
  };

  explicit GroupPublisher(Options options) : options_(std::move(options)) {}

  /// Takes lines, each with its newline, or drops them.
  void add(std::string_view lines, Instant now);
  /// Lines that were dropped before they came here.
  void add_note(const DropNote& note, Instant now);
  /// No more will come: the process is told so once it has everything.
  void finish() { is_finishing_ = true; }

  /// Starts the process when it is not there, sends what it takes, sees whether it ended.
  void pump(Instant now);
  /// To wait for, or -1: room in the socket; the end of the process.
  [[nodiscard]] int full_socket() const { return is_full_ ? socket_.get() : -1; }
  [[nodiscard]] int process() const { return process_.get(); }
  /// When the process is to be started again.
  [[nodiscard]] std::optional<Instant> wake_up() const;

  [[nodiscard]] const std::string& group() const { return options_.group; }
  /// Since when more waits than half its limit, if so.
  [[nodiscard]] std::optional<Instant> crowded_since() const { return crowded_since_; }
  /// When lines came last.
  [[nodiscard]] Instant last_used() const { return last_used_; }
  /// Finished, all was handed over and the process ended.
  [[nodiscard]] bool is_over() const { return is_finishing_ && is_closed_ && pid_ < 0; }
  /// Of the process that ended last.
  [[nodiscard]] int exit_code() const { return exit_code_; }
  /// Lines dropped here; lines not handed over so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_total_; }
  [[nodiscard]] std::uint64_t waiting() const;
  /// Gives the process up.
  void kill();
  /// Sentences for the operator since the last call.
  std::vector<std::string> notes();

 private:
  void queue(std::string packet);
  void close_batch();
  void queue_dropped();
  bool open_socket();
  void start(Instant now);
  bool spawn(int input);
  void send();
  void drop(std::uint64_t lines, std::uint64_t bytes);
  void tell(const std::optional<DropNote>& loss);
  void reap(Instant now);

  Options options_;
  std::deque<std::string> packets_;
  std::string batch_;  // the lines of the packet to come
  std::size_t waiting_bytes_{0};
  DropNote dropped_;  // not yet queued
  LossTally tally_;
  std::uint64_t dropped_total_{0};
  Descriptor socket_;  // ours
  Descriptor input_;   // the process's stdin
  Descriptor process_;
  pid_t pid_{-1};
  Instant last_used_{};
  std::optional<Instant> crowded_since_;
  Instant next_start_{};
  bool is_full_{false};
  bool is_finishing_{false};
  bool is_closed_{false};
  int exit_code_{0};
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
