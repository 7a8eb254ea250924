// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: the mind of ringlog-write. Ordered events go in; out comes what to append to
// the file, what belongs into a pending file, and what to tell the other writers. It touches
// no file and no socket, so that two of them fed the same order can be compared in a test.
//
// A writer is a member of the log's group and, from a later place in the order on, of the
// writers' group (GROUP.writers): a view of the latter is the point at which tables are
// compared. A newcomer holds everything back until a table as of its own join has come from
// a writer that was there before; in a merge both sides hold back until they have the table
// of every other side, but not for ever (give_up()). Then: what others have and we have not is
// one gap marker and counts as seen, and what was held is applied as if it came only now. So
// after that point tables are equal, and writers that miss the same write the same.
//
// Invariant: table() is exactly what the data handed out so far holds or marks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/ringlog/progress.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/table.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::ringlog {

/// Lines that came under weaker promises than the file demands.
struct PendingRecord {
  ConfigurationId configuration;
  std::string text;  ///< a head marker and the lines
  std::uint64_t lines{0};
};

struct Addition {
  Producer producer;
  Range range;
};

/// A marker line in the file, by where it begins: data lines may look like one.
struct MarkerNote {
  std::uint64_t offset{0};   ///< in the data of the output it is part of
  std::uint64_t missing{0};  ///< lines it stands for
};

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
  bool is_awaited{false};  ///< some went to a pending file: the publisher waits to hear of it
};

/// What has to be done since the last take().
struct ReconcilerOutput {
  std::string data;                 ///< whole lines for the main file
  std::uint64_t lines{0};           ///< data lines in it, markers not counted
  std::vector<Addition> additions;  ///< what `data` adds to the table
  std::vector<MarkerNote> markers;
  std::vector<LineOrigin> origins;  ///< of data lines, in order
  std::vector<PendingRecord> pending;
  std::vector<std::vector<std::byte>> tables;  ///< to publish to the writers' group
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
  std::uint64_t lost_lines{0};  ///< that publishers reported as dropped or too long
  std::uint64_t foreign{0};     ///< messages in the group that are no log records
};

class Reconciler {
 public:
  /// `table` and `chain` are those of the file as it is.
  Reconciler(std::string group, Table table, std::uint64_t chain);

  /// A session began; the caller joins the group, and the writers' group once the group's
  /// view has come. From now on we are a newcomer. Messages with tables have at most
  /// `table_bytes_max` bytes.
  void on_session(const MemberName& self, std::size_t table_bytes_max);
  void on_event(Event event);
  /// The session is over. What was held back is written: it was delivered, and nobody else
  /// may have it.
  void on_session_end();

  /// Waits no longer for those in awaited(): goes on from its own table. What they have and we
  /// have not is a gap where their tables come, if they still do.
  void give_up();

  ReconcilerOutput take();

  /// The writers' group may be joined: everything is received from here on.
  [[nodiscard]] bool in_group() const { return in_group_; }
  /// Writing; not waiting for another writer's table.
  [[nodiscard]] bool is_live() const { return stage_ == Stage::live; }
  /// The view as of which tables are awaited.
  [[nodiscard]] const std::string& awaited_view() const { return awaited_view_; }
  /// Whose tables are awaited, as "#name#daemon".
  [[nodiscard]] const std::set<std::string>& awaited() const { return uncovered_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] std::uint64_t chain() const { return chain_; }
  [[nodiscard]] const std::optional<Position>& position() const { return position_; }
  [[nodiscard]] const ReconcilerCounters& counters() const { return counters_; }

 private:
  enum class Stage { away, joining, waiting, live };

  /// True when the event is used up: it need not be applied later.
  bool look_ahead(const Event& event);
  void look_ahead_view(const View& view);
  bool look_ahead_table(const Message& message);
  void begin_waiting(const View& view, std::set<std::string> uncovered);
  void advance();
  void close_gap();
  void report_divergence();
  void report_missed(const Record& record);
  void replay();

  void apply(const Event& event);
  void apply_message(const Message& message);
  void apply_record(const Message& message, const Record& record);
  void apply_writers_view(const View& view);
  void apply_news(const Message& message);

  [[nodiscard]] Table held_before_join() const;
  void write_record(const Record& record, const std::string& daemon);
  void write_gap(const Table& missing);
  void append_line(std::string_view line);
  void send_table(const View& view, const std::set<std::string>& component);
  void send(const TableMessage& message);

  std::string group_;
  std::string writers_;
  std::string self_;
  std::size_t table_bytes_max_{0};
  Stage stage_{Stage::away};
  bool in_group_{false};

  Table table_;
  std::uint64_t chain_{0};
  std::optional<Position> position_;
  std::optional<Configuration> configuration_;

  // What went to the pending file of the last configuration that needed one.
  ConfigurationId set_aside_in_;
  Table set_aside_;

  // While not live.
  std::deque<Event> held_;
  std::size_t held_bytes_{0};
  std::string awaited_view_;
  bool is_newcomer_{false};
  std::set<std::string> uncovered_;  ///< members for whom no table came yet
  std::set<std::string> given_up_;   ///< views for which tables were waited for in vain
  struct Incoming {
    std::uint32_t parts{0};
    Table table;
  };
  std::map<MemberName, Incoming> incoming_;  ///< tables of which parts have come, by sender
  Table received_;
  std::optional<std::uint64_t> received_chain_;

  // After a start with lines of old and nobody to ask: which producers have gone on since.
  bool is_resuming_{false};
  std::set<ProducerId> resumed_;
  std::uint64_t missed_reports_{0};

  ReconcilerOutput output_;
  ReconcilerCounters counters_;
};

/// A record that the main file takes: safe, not transitional, in a configuration with a majority.
bool is_acceptable(const Message& message, const std::optional<Configuration>& configuration);

}  // namespace ringcast::ringlog
