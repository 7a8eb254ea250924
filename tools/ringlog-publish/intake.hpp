// SPDX-License-Identifier: Apache-2.0
//
// Intake: where accepted records go - into the outbox while memory lasts, behind it into the
// spool - and whether there is room for more. Order is kept: while the spool holds anything
// unread, new records queue behind it. Settled records are reported back to where they came from.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-publish/outbox.hpp"
#include "tools/ringlog-publish/spool.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

/// Sources of records that are kept nowhere else, and of those that lie in the spool.
inline constexpr std::uint32_t input_source = 0;
inline constexpr std::uint32_t spool_source = 0xFFFFFFFFU;

/// Lines that had not settled at the end of a program and no source keeps.
struct PutAway {
  std::uint64_t spooled{0};
  std::uint64_t lost{0};  ///< found no place
};

class Intake {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Intake(std::size_t memory_bytes_max, Outbox outbox, std::optional<Spool> spool);

  /// Room for this many more bytes, beside `held` bytes the caller already holds.
  [[nodiscard]] bool has_room(std::size_t bytes, std::size_t held, Instant now) const;
  /// Takes the record; in memory even without room when the spool fails. There it waits behind
  /// the spool until that takes it, or is empty, so that the order stays.
  void accept(OutgoingRecord record, Instant now);
  /// Makes has_room() true by giving up the oldest lines that are not about to be sent: of the
  /// spool its oldest segments, without a spool the oldest records in memory. A note takes their
  /// place. False: there are not enough.
  bool make_room(std::size_t bytes, std::size_t held, Instant now);
  /// Gives up what has lain in the spool for longer than that.
  void drop_older_than(std::chrono::seconds age, Instant now);
  /// Moves spooled records into the outbox while there is room.
  void refill(Instant now);
  /// To be called with what Outbox::on_confirmation returned for spooled records.
  void on_spool_settled(std::uint64_t segment);
  /// The program ends: what has not settled goes into the spool, however full, in the order in
  /// which it was accepted; but for what its source keeps.
  PutAway put_away();
  void sync(Instant now);

  Outbox& outbox() { return outbox_; }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }
  [[nodiscard]] bool has_spool() const { return spool_.has_value(); }
  /// Lines given up by make_room() and drop_older_than().
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// Part of the spool was damaged.
  [[nodiscard]] bool has_lost() const { return spool_ && spool_->has_lost(); }
  [[nodiscard]] bool is_empty() const;
  /// In memory, not settled.
  [[nodiscard]] std::uint64_t lines_in_memory() const { return outbox_.lines() + held_lines_; }
  /// Sentences for the operator since the last call.
  std::vector<std::string> notes();

 private:
  [[nodiscard]] std::vector<RecordNumber> to_put_in_front() const;
  bool drop_oldest(std::size_t bytes, Instant now);
  bool put_in_front(const OutgoingRecord& record);
  void complain(Trouble& trouble, const std::string& what, Instant now);
  void count_dropped(std::uint64_t lines, const std::string& why);
  [[nodiscard]] bool may_spool(std::size_t bytes, Instant now) const;
  [[nodiscard]] bool fits_in_memory(std::size_t bytes) const;
  /// Of the input: something accepted before is not in the outbox yet.
  [[nodiscard]] bool is_behind() const {
    return spool_ && (spool_->has_unread() || !held_.empty());
  }
  void place_held(Instant now);
  bool spool(const OutgoingRecord& record, Instant now);
  void put_away_held(PutAway& lines);

  std::size_t memory_bytes_max_;
  Outbox outbox_;
  std::optional<Spool> spool_;
  std::deque<OutgoingRecord> held_;  ///< what the spool did not take, the oldest first
  std::size_t held_bytes_{0};
  std::uint64_t held_lines_{0};
  Trouble appending_{std::chrono::seconds(1)};
  Trouble syncing_;
  Trouble reading_;
  std::uint64_t dropped_{0};
  bool told_dropping_{false};
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
