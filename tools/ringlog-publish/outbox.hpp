// SPDX-License-Identifier: Apache-2.0
//
// Outbox: every record that must not be lost, from acceptance until it may be forgotten.
// Pure bookkeeping: it sends nothing, it says what to send next.
//
// A record is let go when it has settled. Confirmed stable in a regular configuration is
// necessary, but it only says that every daemon of the configuration holds the record: one
// that is cut off in the next instant may deliver it transitionally, and a writer there keeps
// it out of its file. So a record settles when, in the same configuration, another message
// of ours that was published after its confirmation is confirmed kept too: by then the token
// has told every daemon that the record is stable, and each has delivered it as such. In a
// steady stream the next batch is that message; at its end a Settle record is.
// Where the configuration has no majority of the configured daemons that is not enough: a
// daemon that has just started is a ring of one, and keeps what nobody will ever write. There
// a record settles when a writer says that it lies in its pending file, and is sent again in
// every further configuration until there is a majority.
// Where so many writers are required, a record that would settle is held until as many have
// said that they synced it; it is sent again in every further configuration.
// Whatever has not settled when the session ends, or when the configuration changes in
// between, is sent again, under the same producer and sequence: writers drop what they have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "ringcast/message.hpp"

#include "tools/ringlog-publish/outgoing_record.hpp"
#include "tools/ringlog/progress.hpp"

namespace ringcast::ringlog {

/// The order of acceptance; also the record's name inside the outbox.
using RecordNumber = std::uint64_t;

class Outbox {
 public:
  /// `writers_required`: how many writers must have synced a record before it settles.
  explicit Outbox(std::size_t window_bytes, std::size_t writers_required = 0)
      : window_bytes_(window_bytes), writers_required_(writers_required) {}

  /// Takes responsibility for a record; it is sent after all accepted before it.
  RecordNumber accept(OutgoingRecord record);
  /// Puts another record in the place of one that the daemon will never take.
  void replace(RecordNumber number, OutgoingRecord record);
  /// Puts a note in the place of the oldest record of lines from `source` that was never sent:
  /// nobody can have it. Returns its lines; nothing: there is none.
  std::optional<std::uint64_t> drop_oldest(std::uint32_t source);

  /// What to publish next, or nothing: all is sent, or the window is full.
  [[nodiscard]] std::optional<RecordNumber> next() const;
  [[nodiscard]] const OutgoingRecord& record(RecordNumber number) const;
  /// Nothing is left to send or to be confirmed, but records wait for a later message.
  [[nodiscard]] bool needs_settle() const;

  /// `number` was published and its confirmation will carry `ticket`.
  void on_sent(RecordNumber number, std::uint64_t ticket);
  void on_settle_sent(std::uint64_t ticket);
  /// Payload of the message with that ticket; 0 for a Settle.
  [[nodiscard]] std::size_t bytes_in_flight(std::uint64_t ticket) const;
  /// Origins that settled, in order of acceptance. `has_majority`: the configuration of the
  /// message's position has one.
  std::vector<Origin> on_confirmation(const Confirmation& confirmation, bool has_majority);
  /// A writer has written these, if only to a pending file, and where writers are required it
  /// has synced them.
  std::vector<Origin> on_written(const MemberName& writer, const Progress& progress);
  /// Another configuration was installed, or a writer may have come: what waits for writers is
  /// tried again.
  void retry_set_aside();
  /// The daemon refused it: it was not ordered. Returns it when it was a record.
  std::optional<RecordNumber> on_refused(std::uint64_t ticket);
  /// Everything that has not settled is sent again.
  void on_session_end();

  /// Records wait to be sent, be it for the window.
  [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  /// Bytes of payload in the outbox, and records and lines.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t sent_again() const { return sent_again_; }
  /// Something was published and is neither confirmed nor refused.
  [[nodiscard]] bool has_flights() const { return !flights_.empty(); }
  /// Records confirmed that wait for writers: there is no majority, or writers are required.
  [[nodiscard]] std::size_t set_aside() const { return set_aside_.size(); }
  [[nodiscard]] std::size_t unreceipted() const { return unreceipted_.size(); }
  /// Every record in order of acceptance, whatever its state.
  [[nodiscard]] std::vector<RecordNumber> all() const;

 private:
  // Unreceipted: it has settled but for the writers that are required.
  enum class State { waiting, in_flight, confirmed, set_aside, unreceipted };
  struct Item {
    OutgoingRecord record;
    State state{State::waiting};
    Position position;              // when confirmed, with or without a majority
    std::uint64_t confirmed_at{0};  // count of confirmations then
  };
  struct Flight {
    std::optional<RecordNumber> number;  // nothing: a Settle
    std::uint64_t sent_at{0};            // count of confirmations then
  };

  void wait_again(RecordNumber number);
  // How many writers have written what stands there.
  [[nodiscard]] std::size_t receipts_for(const Position& position) const;
  void take_receipted(
      std::map<Position, RecordNumber>& waiting,
      const Progress& progress,
      std::vector<Origin>& origins);
  void forget(RecordNumber number);
  void drop(RecordNumber number);
  std::vector<Origin> settle(std::uint64_t sent_at, const ConfigurationId& configuration);

  std::size_t window_bytes_;
  std::size_t writers_required_;
  std::map<MemberName, Progress> receipts_;  // by writer
  std::map<RecordNumber, Item> records_;
  std::map<RecordNumber, bool> waiting_;             // value: was sent before
  std::map<std::uint64_t, Flight> flights_;          // by ticket
  std::map<std::uint64_t, RecordNumber> confirmed_;  // by confirmed_at
  std::map<Position, RecordNumber> set_aside_;
  std::map<Position, RecordNumber> unreceipted_;
  RecordNumber next_number_{1};
  std::uint64_t confirmations_{0};
  std::size_t bytes_{0};
  std::size_t window_used_{0};
  std::uint64_t lines_{0};
  std::uint64_t sent_again_{0};
};

}  // namespace ringcast::ringlog
