// SPDX-License-Identifier: Apache-2.0
//
// Input: lines from stdin. Decides when to read: a regular file waits for room; a pipe is
// left unread for at most --max-block while there is none, then its lines are dropped,
// newest first, counted, and a note with their number goes out in their place.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/batch.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/line_splitter.hpp"

namespace ringcast::ringlog {

class Input {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    std::size_t line_bytes_max{std::size_t{64} << 10U};
    std::size_t batch_bytes{std::size_t{60} << 10U};
    std::chrono::milliseconds max_block{100};
    bool can_wait{false};  ///< nobody is held up when we do not read: a regular file
  };

  /// `intake` outlives this.
  Input(Options options, Producer producer, Intake& intake);

  /// Whether to read now. Without room: when to ask again, if waiting has an end and that is
  /// still to come.
  [[nodiscard]] bool wants_data(Instant now);
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const;
  /// Bytes that were read; to be given whole.
  void feed(std::string_view bytes, Instant now);
  /// No more will come: the unfinished last line is a line.
  void end(Instant now);
  /// More would come, but it is not read: the unfinished line is no line. Returns its bytes.
  std::uint64_t abandon(Instant now);
  /// Hands on the lines gathered so far, because nothing more is waiting.
  void flush(Instant now);

  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_total_; }
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }
  std::vector<std::string> notes();

 private:
  void on_line(const SplitLine& line, Instant now);
  void send_note(Instant now);

  Options options_;
  Intake& intake_;
  LineSplitter splitter_;
  Batch batch_;
  std::optional<Instant> full_since_;
  Dropped dropped_;  // not yet noted
  std::uint64_t accepted_{0};
  std::uint64_t dropped_total_{0};
  std::uint64_t too_long_{0};
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
