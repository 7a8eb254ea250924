// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: the mind of ringlog-write. Ordered events go in; out comes what to append to
// the file, what belongs into a pending file, and what to tell the other writers. It touches
// no file and no socket, so that several of them fed the same order can be compared in a test.
//
// A writer is a member of the log's group and, from a later place in the order on, of the
// writers' group (GROUP.writers). At each view of the latter every writer states what its file
// is (Comparison). A writer that is in step goes on at once, unless the view brings members who
// were elsewhere; one that is not waits for the statements of all others. All then choose the
// same statement. Who has that very file is in step; the others fetch what they miss
// (append_fetched) or, when their files are no beginnings of it, cut theirs (on_cut), and are in
// step when theirs has become equal. What is delivered in between is held, and applied then.
//
// What is delivered transitionally, behind a configuration with a majority, waits for the next
// configuration. If that has a majority too, it is written at its place: a writer on the other
// side may have got it as stable, and all that go on here have got the same. So the file of one
// that was cut off stays a beginning of theirs.
//
// A writer that comes to a configuration with a majority from one without, or in a new session,
// may have missed a majority in which others wrote. Unless one in step is there, it is unsure as
// long as writers are out of reach that were with it when it was last with a majority: it sets
// aside what comes, as in a minority. They come back, or all go on without them (give_up).
//
// Nothing that was delivered is forgotten: what cannot be written at its place - delivered
// without a majority, in a transition that leads to none, or while this writer was not in step
// and written by nobody else - goes to a pending file. Pending files are offered to all writers
// through the order, and their lines are written by all at the place of the offer.
//
// Invariant: table() names exactly the lines and losses in the data handed out so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/ringlog-write/comparison.hpp"
#include "tools/ringlog-write/file_state.hpp"
#include "tools/ringlog-write/writer_message.hpp"
#include "tools/ringlog/progress.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

/// Lines that came under weaker promises than the file demands.
struct PendingRecord {
  ConfigurationId configuration;
  std::string text;  ///< a head marker and the lines
  std::uint64_t lines{0};
};
PendingRecord pending_record(
    const Record& record,
    const Position& position,
    const std::string& why,
    const std::string& daemon = {});

/// Where data lines of the file came from: consecutive ones of one record.
struct LineOrigin {
  std::uint64_t offset{0};  ///< in the data of the output it is part of
  std::uint64_t lines{0};
  Producer producer;
  std::uint64_t first_seq{0};
  std::string daemon;  ///< the publisher's; empty when it is not known
  Position position;
};

/// What was applied of one publisher.
struct SenderProgress {
  Progress written;        ///< from the first record of the last configuration to the last
  std::size_t bytes{0};    ///< of records
  bool is_awaited{false};  ///< the publisher waits to hear that all is synced
};

struct ToWriters {
  std::int32_t type{0};
  std::vector<std::byte> payload;
};

/// What has to be done since the last take().
struct ReconcilerOutput {
  std::string data;                 ///< whole lines for the main file
  std::vector<FileEntry> entries;   ///< what `data` adds to the file
  std::vector<LineOrigin> origins;  ///< of data lines, in order
  std::vector<PendingRecord> pending;
  std::vector<ToWriters> messages;  ///< to publish to the writers' group
  std::map<MemberName, SenderProgress> progress;
  std::vector<std::string> reports;  ///< sentences for the operator
};

struct ReconcilerCounters {
  std::uint64_t duplicates{0};  ///< lines received that the file already had
  std::uint64_t views{0};       ///< of the log's group
  std::uint64_t configurations{0};
  std::uint64_t gaps{0};  ///< gap markers written
  std::uint64_t gap_lines{0};
  std::uint64_t pending_lines{0};
  std::uint64_t lost_lines{0};     ///< that publishers reported as dropped or too long
  std::uint64_t foreign{0};        ///< messages in the group that are no log records
  std::uint64_t fetched_lines{0};  ///< from other writers' files
  std::uint64_t merged_lines{0};   ///< from pending files
  std::uint64_t cut_lines{0};      ///< taken out of the file, since it did not agree
  std::uint64_t unkept{0};         ///< times that no writer kept what this one missed
  std::uint64_t unkept_lines{0};   ///< that it never had, and that no writer keeps any more
};

/// What to fetch: the file of the others, up to `end`.
struct Target {
  FilePoint end;
  std::set<std::string> holders;  ///< who has it, as "#name#daemon"
};

class Reconciler {
 public:
  Reconciler(std::string group, const FileState& state);

  /// A session began; the caller joins the group, and the writers' group once the group's
  /// view has come. Messages with tables have at most `table_bytes_max` bytes.
  void on_session(const MemberName& self, std::size_t table_bytes_max);
  void on_event(Event event);
  /// The session is over. What was held back goes to pending files: nobody else may have it.
  void on_session_end();

  /// Those in awaited(), or the target's holders, do not answer, or those in missed() do not come
  /// back: asks all to go on without.
  void give_up();

  /// Lines behind end(), out of another writer's file. Errors: corrupt, when data and entries
  /// do not make the chain they claim; nothing was taken then.
  Result<void> append_fetched(const std::vector<FileEntry>& entries, std::string_view data);
  /// The file was cut, and what was behind `state` is in pending files.
  void on_cut(const FileState& state, std::uint64_t lines);
  /// No writer keeps what follows our end: the file is now `state`, which begins and ends behind
  /// the front of another one's; `lines` of ours went to pending files.
  void go_on_behind(const FileState& state, std::uint64_t lines);
  /// Names that another writer says it has: what of them nobody has in the end is a gap.
  void on_promise(const Table& names) { promised_.merge(names); }

  /// Pending files that were there at the start, or were made by a cut.
  void add_segment(const ConfigurationId& configuration, const Table& names);
  /// The pending file is gone, or all its lines were.
  void drop_segment(const ConfigurationId& configuration);
  [[nodiscard]] bool has_segments() const { return !segments_.empty(); }
  [[nodiscard]] std::size_t segments() const { return segments_.size(); }
  /// The pending file whose lines are to be offered now, by us.
  [[nodiscard]] std::optional<ConfigurationId> segment_to_offer() const;
  /// Pending files all of whose lines are in the file.
  [[nodiscard]] std::vector<ConfigurationId> covered_segments() const;

  ReconcilerOutput take();

  /// The writers' group may be joined: everything is received from here on.
  [[nodiscard]] bool in_group() const { return in_group_; }
  /// In step with all other writers, and writing.
  [[nodiscard]] bool is_live() const { return stage_ == Stage::live; }
  /// This session came out of step: it is to be ended, and another one to begin.
  [[nodiscard]] bool needs_restart() const { return needs_restart_; }
  [[nodiscard]] const std::optional<Target>& target() const { return target_; }
  /// Changes with each point at which files are compared.
  [[nodiscard]] const std::string& point() const { return comparison_.point(); }
  /// Whose statements are awaited, as "#name#daemon".
  [[nodiscard]] const std::set<std::string>& awaited() const { return comparison_.awaited(); }
  /// Those in missed() may have written to their files, so this writer - live or not - writes to
  /// pending files only.
  [[nodiscard]] bool is_unsure() const { return has_majority_ && !doubted_.empty(); }
  [[nodiscard]] const std::set<std::string>& missed() const { return doubted_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] const FilePoint& end() const { return end_; }
  [[nodiscard]] const std::optional<Position>& position() const { return position_; }
  /// Lines that gap markers name and that have not come since.
  [[nodiscard]] std::uint64_t open_gap_lines() const { return gaps_.minus(table_).count(); }
  [[nodiscard]] const ReconcilerCounters& counters() const { return counters_; }

 private:
  enum class Stage { away, joining, waiting, live };
  enum class Unwritten { to_file, to_pending };

  void take_event(Event event);
  [[nodiscard]] bool begins_transition(const Event& event) const;
  void end_transition(bool has_majority);

  // Comparing files with others.
  bool on_control(const Event& event);
  void on_writers_view(const View& view);
  void hear(const Configuration& configuration);
  void compare_in_majority(const Message& message);
  void begin_point(std::string point, bool is_for_all);
  bool settle_doubts();
  void note_companions();
  void on_statement(const Message& message);
  void on_exclude(const Message& message, const Exclude& exclude);
  void decide();
  void get_in_step(const Statement& chosen);
  [[nodiscard]] bool accepts(const Message& message) const;
  void go_live(Unwritten before);
  void tell_statement();
  void tell_segments();
  void on_announce(const std::string& sender, const Announce& announce);
  void tell_gap();
  [[nodiscard]] Statement statement() const;

  // Applying the order.
  void hold(Event event);
  void apply_before(const Event& event);
  void apply(const Event& event);
  void apply_message(const Message& message);
  void apply_record(const Message& message, const Record& record);
  void apply_news(const Message& message);
  void apply_offer(const Message& message, const Offer& offer);
  void set_aside(const Message& message, const Record& record, const std::string& why);
  void report_missed(const Record& record);

  // Writing.
  void write_record(const Record& record, const std::string& daemon, const Position& position);
  void write_gap(const Table& missing);
  void write_line(std::string_view line, bool is_marker, std::uint64_t missing);
  FileEntry& growing_entry();
  void set_position(const Position& position);
  void add_addition(const Addition& addition);
  void send(std::int32_t type, std::vector<std::byte> payload);
  void send(const TableMessage& message);

  std::string group_;
  std::string writers_;
  std::string self_;
  std::size_t table_bytes_max_{0};
  Stage stage_{Stage::away};
  bool in_group_{false};
  bool in_step_{false};  // the file is what the order made of it, as far as it was applied
  bool needs_restart_{false};

  Table table_;
  Table gaps_;
  FilePoint end_;
  std::optional<Position> position_;
  std::optional<Configuration> configuration_;  // up to which the order was applied
  std::optional<ConfigurationId> heard_;        // the last configuration that came
  bool has_majority_{false};                    // that one's
  bool has_come_to_majority_{false};            // from none, and nothing was compared since
  bool is_continuing_{false};         // with a majority, and in step with it, since it came
  bool is_doubt_given_up_{false};     // at the point: some doubted are not waited for any longer
  bool is_own_awaited_{false};        // our statement has not come back through the order
  std::set<std::string> companions_;  // other writers, when this one was last with a majority
  std::set<std::string> doubted_;     // as all decided: who may have written meanwhile
  std::deque<std::string> formerly_;  // own names in earlier sessions

  Comparison comparison_;
  std::set<std::string> members_;   // of the writers' group
  std::set<std::string> excluded_;  // of those, who did not answer
  Statement own_;                   // as of the point; without its tables
  std::string asked_at_;            // the last point at which we asked to go on without someone
  std::string gap_told_at_;         // the last point at which we told of a gap
  std::optional<Target> target_;
  Statement chosen_;  // what the target becomes

  std::deque<Event> late_;    // of a transition; what they are the next configuration says
  std::deque<Event> before_;  // delivered before the point, and not applied
  std::deque<Event> held_;    // behind it
  std::size_t held_bytes_{0};

  Table promised_;  // lines that are known to be, and may be in no file
  std::map<ConfigurationId, Table> segments_;
  std::map<std::string, std::set<ConfigurationId>> announced_;  // by member

  // After a start with lines of old and nobody to ask: which producers have gone on since.
  bool is_resuming_{false};
  std::set<ProducerId> resumed_;
  std::uint64_t missed_reports_{0};

  bool entry_may_grow_{false};  // the last of output_.entries
  ReconcilerOutput output_;
  ReconcilerCounters counters_;
};

/// A record that the main file takes: safe, not transitional, in a configuration with a majority.
bool is_acceptable(const Message& message, const std::optional<Configuration>& configuration);

}  // namespace ringcast::ringlog
