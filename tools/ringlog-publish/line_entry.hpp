// SPDX-License-Identifier: Apache-2.0
//
// LineEntry: where lines come in that nobody keeps for us: of a pipe or of syslog. Filters and
// batches them, and decides what happens when memory and spool are full: their sender is left
// waiting for at most --max-block, then the newest are dropped; or they are dropped at once; or
// the oldest go for them. What is dropped is counted, and a note with its number goes out in its
// place. A regular file can wait and loses nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-publish/batch.hpp"
#include "tools/ringlog-publish/filter.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog/loss_tally.hpp"

namespace ringcast::ringlog {

enum class WhenFull : std::uint8_t { block_then_drop_newest, drop_newest, drop_oldest };

class LineEntry {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    std::size_t line_bytes_max{std::size_t{64} << 10U};
    std::size_t batch_bytes{std::size_t{60} << 10U};
    std::chrono::milliseconds max_block{100};
    std::chrono::milliseconds linger{0};  ///< longest rest between two looks, see Rest
    WhenFull when_full{WhenFull::block_then_drop_newest};
    bool can_wait{false};  ///< nobody is held up when we do not read: a regular file
    LinesEncoder::Options encoding;
  };

  /// `intake` and `filter` outlive this.
  LineEntry(Options options, const Producer& producer, Filter& filter, Intake& intake);

  /// Whether to read now. Without room: when to ask again, if waiting has an end and that is
  /// still to come.
  [[nodiscard]] bool wants_data(Instant now);
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const;

  /// A line without its newline. REQUIRES: no newline in it.
  void take(std::string_view line, Instant now);
  /// A line of so many bytes, which is more than the limit.
  void take_too_long(std::uint64_t bytes, Instant now);
  /// A note of lines that were dropped before they came here.
  void take_dropped(const Dropped& dropped, Instant now);
  /// Hands on the lines gathered so far, because nothing more is waiting.
  void flush(Instant now);
  /// And a note of what was dropped, because nothing more comes.
  void end(Instant now);

  /// Lines wait for a flush.
  [[nodiscard]] bool has_lines() const { return !batch_.empty(); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_total_; }
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }
  std::vector<std::string> notes();

 private:
  bool make_room(std::size_t bytes, Instant now);
  [[nodiscard]] bool has_blocked_long_enough(Instant now) const;
  void send_note(Instant now);
  void tell(const std::optional<DropNote>& loss);

  Options options_;
  Filter& filter_;
  Intake& intake_;
  Batch batch_;
  std::optional<Instant> full_since_;
  Dropped dropped_;  // not yet noted
  LossTally tally_;
  std::uint64_t accepted_{0};
  std::uint64_t dropped_total_{0};
  std::uint64_t too_long_{0};
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
