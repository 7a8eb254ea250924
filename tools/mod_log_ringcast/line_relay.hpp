// SPDX-License-Identifier: Apache-2.0
//
// LineRelay: one web-server process's way to the publisher. A line is a frame, or several, on a
// pipe that all processes share (packet_frames.hpp), written without waiting. When the pipe is
// full the frames wait in this process's memory, up to a limit, and a thread of its own writes
// them when there is room; beyond the limit the newest lines are dropped, counted, and a note
// with their number takes their place. send() never waits for the publisher. Knows nothing of
// Apache.
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
#include "tools/ringlog/packet_frames.hpp"

namespace ringcast::ringlog {

class LineRelay {
 public:
  struct Options {
    int pipe{-1};  ///< its end to write, O_NONBLOCK; not owned
    /// Of what is kept. What a long line that the pipe has the beginning of lacks may exceed it.
    std::size_t buffer_bytes_max{std::size_t{1} << 20U};
    /// Told when lines are dropped, once a second at most; from any thread.
    std::function<void(const std::string&)> report;
  };

  /// REQUIRES: SIGPIPE is ignored, or an end of the pipe to read stays open; one relay in a
  /// process for each pipe.
  explicit LineRelay(Options options);
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
  enum class Outcome { written, full, refused };
  struct Kept {
    std::string frame;
    std::uint64_t lines{0};  // that end with it
  };

  [[nodiscard]] Outcome try_write(std::string_view frame) const;
  [[nodiscard]] bool send_whole(std::string_view head, std::span<const std::string_view> parts);
  void send_frames(std::string_view head, std::span<const std::string_view> parts);
  [[nodiscard]] bool has_room_for(const std::vector<std::string>& frames) const;
  std::vector<std::string> frames_of(std::string_view packet);
  void drop(std::string_view head, std::span<const std::string_view> parts, const char* why);
  void tell(const std::optional<DropNote>& loss, const char* why) const;
  void queue_notes();
  void push(std::vector<std::string> frames, std::uint64_t lines);
  bool start_thread();
  void flush_kept();
  void wait_for_room() const;
  [[nodiscard]] bool is_late() const;

  Options options_;
  PacketNumber number_;  // of the long packet last begun
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
