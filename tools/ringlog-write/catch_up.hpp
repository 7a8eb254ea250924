// SPDX-License-Identifier: Apache-2.0
//
// CatchUp: fetches from other writers what stands behind the end of our file, and finds out up
// to where the files agree when ours is no beginning of theirs. It sends and receives nothing
// itself, and takes the next writer when one does not answer. When none of them keeps what ours
// could go on from, it asks one for its front, so that ours goes on behind that.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tools/ringlog-write/history_message.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::ringlog {

class CatchUp {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// What a reply leads to.
  struct Step {
    bool has_lines{false};             ///< the reply's lines are to be appended
    std::optional<FilePoint> cut;      ///< the file is to be cut there
    std::optional<FileFront> front{};  ///< the file is to go on behind it
  };

  explicit CatchUp(std::string group) : group_(std::move(group)) {}

  /// Begins anew with these writers; nothing behind `until` is fetched, unless it is 0.
  void begin(const std::set<std::string>& writers, std::uint64_t until);
  void stop();
  [[nodiscard]] bool is_active() const { return is_active_; }

  /// What to send now, and to whom. `end` is that of our file, all of which is written.
  /// After it the catch-up may have failed.
  std::optional<std::pair<std::string, HistoryRequest>> next(
      const Store& store, const FilePoint& end, Instant now);
  /// `end` as above.
  Step on_reply(
      const std::string& sender, const HistoryReply& reply, const FilePoint& end, Instant now);
  /// A part of the table of a writer's front, which was asked for with that request.
  void on_front_table(const std::string& sender, std::uint64_t request, const TableMessage& part);
  /// The lines did not fit: this writer is asked no more.
  void on_wrong_lines() { drop_writer(); }

  /// None of the writers could help.
  [[nodiscard]] bool has_failed() const {
    return is_active_ && writers_.empty() && fronts_.empty();
  }
  /// Places in our file are being compared; its front must stay as it is.
  [[nodiscard]] bool is_searching() const { return search_.has_value(); }
  /// Bytes that the writer had beyond ours when it answered last; nothing before.
  [[nodiscard]] std::optional<std::uint64_t> behind() const { return behind_; }
  /// A complete answer came, and the next request was not yet made.
  [[nodiscard]] bool is_between() const { return !asked_at_; }
  /// When to call next(), if not at once.
  [[nodiscard]] std::optional<Instant> next_step() const;

 private:
  void drop_writer();
  Step on_searched(const HistoryReply& reply);
  Step on_front(const HistoryReply& reply);

  std::string group_;
  bool is_active_{false};
  std::deque<std::string> writers_;
  std::uint64_t until_{0};
  std::uint64_t id_{0};
  bool wants_table_{true};
  std::optional<Instant> asked_at_;  // or heard last, of what was asked
  std::optional<Instant> pause_until_;
  std::optional<std::uint64_t> behind_;
  // Up to where the files agree: here, and not there.
  struct Search {
    FilePoint low;
    std::uint64_t high{0};
    Points asked;
  };
  std::optional<Search> search_;
  // Writers that do not keep what ours could go on from; to be asked for their front.
  std::deque<std::string> fronts_;
  struct Front {
    FileFront front;
    std::uint32_t parts{0};
    bool is_complete{false};
  };
  std::optional<Front> front_;  // that is asked for
  bool has_front_{false};       // our own file does not begin at 0
};

}  // namespace ringcast::ringlog
