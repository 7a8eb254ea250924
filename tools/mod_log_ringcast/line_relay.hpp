// SPDX-License-Identifier: Apache-2.0
//
// LineRelay: one web-server process's way to the publisher. A line is one packet of a unix
// SOCK_SEQPACKET socket that all processes share, sent without waiting. When the socket is full
// the packet waits in this process's memory, up to a limit, and a thread of its own sends it
// when there is room; beyond the limit the newest lines are dropped, counted, and a note with
// their number takes their place. send() never blocks on the publisher. Knows nothing of Apache.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tools/ringlog/group_packet.hpp"
#include "tools/ringlog/loss_tally.hpp"

namespace ringcast::ringlog {

class LineRelay {
 public:
  struct Options {
    int socket{-1};  ///< not owned
    std::size_t buffer_bytes_max{std::size_t{1} << 20U};
    /// Told when lines are dropped, once a second at most; from any thread.
    std::function<void(const std::string&)> report;
  };

  explicit LineRelay(Options options) : options_(std::move(options)) {}
  ~LineRelay();
  LineRelay(const LineRelay&) = delete;
  LineRelay& operator=(const LineRelay&) = delete;

  /// Sends head and parts as one packet, or keeps or drops it. `head` is a packet's head
  /// (packet_head()). Thread-safe. REQUIRES: no close() before.
  void send(std::string_view head, std::span<const std::string_view> parts);
  /// Gives what is kept up to `patience` to leave. Lines that did not are reported. To be called
  /// once, by the last thread that uses this. False: the thread is stuck, and this must not be
  /// destroyed but left to the end of the process.
  bool close(std::chrono::milliseconds patience);

  /// Lines dropped so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_total_; }

 private:
  enum class Outcome { sent, full, refused };
  struct Kept {
    std::string packet;
    std::uint64_t lines{0};
  };

  [[nodiscard]] Outcome try_send(
      std::string_view head, std::span<const std::string_view> parts) const;
  [[nodiscard]] Outcome try_send(std::string_view packet) const;
  void keep(std::string_view head, std::span<const std::string_view> parts);
  void drop(std::string_view head, std::span<const std::string_view> parts, const char* why);
  void tell(const std::optional<DropNote>& loss, const char* why) const;
  void queue_notes();
  void push(std::string packet, std::uint64_t lines);
  bool start_thread();
  void flush_kept();
  void wait_for_room() const;
  [[nodiscard]] bool is_late() const;

  Options options_;
  std::timed_mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_{0};
  std::atomic<std::size_t> kept_count_{0};
  std::map<std::string, DropNote, std::less<>> dropped_;  // by head; not yet noted
  std::atomic<std::uint64_t> dropped_total_{0};
  LossTally tally_;
  std::atomic<bool> is_closing_{false};
  std::chrono::steady_clock::time_point deadline_{};
  std::thread thread_;
};

}  // namespace ringcast::ringlog
