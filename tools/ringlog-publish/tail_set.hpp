// SPDX-License-Identifier: Apache-2.0
//
// TailSet: every file that the patterns of --tail match, followed by inode. A file that is
// renamed away is read to its end while its successor is followed too; one that is cut to
// a shorter length begins anew as another producer. Looking and reading are apart: while there
// is no room for more, every file is still held open through its renames. What the checkpoint says
// of a file that is not there, or that no pattern matches any more, is kept for a while: when it
// comes back it is taken up where it was left. poll() does one round and never waits; time is an
// argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/checkpoint.hpp"
#include "tools/ringlog-publish/log_file.hpp"
#include "tools/ringlog-publish/tail_file.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

class TailSet {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    std::vector<std::string> patterns;
    std::string checkpoint;  ///< path of the checkpoint file
    std::string name;        ///< producers are called NAME:PATH
    TailLimits limits;
    std::chrono::milliseconds deleted_grace{5000};   ///< idle time before one without a name ends
    std::chrono::milliseconds renamed_grace{60000};  ///< and before one under another name ends
    std::chrono::hours absence_max{30 * 24};         ///< how long an absent one is remembered
  };

  explicit TailSet(Options options) : options_(std::move(options)) {}

  /// Takes up the checkpoint. Errors: io, corrupt.
  Result<void> start(Instant now, std::chrono::sys_seconds date);
  /// Looks for new, renamed, cut and finished files and reads at most about `bytes_max`; with 0
  /// it only looks. Returns the bytes read. What fails is in notes(), and tried again.
  std::size_t poll(std::size_t bytes_max, Instant now, const RecordSink& sink);
  /// No more is to come: where a last line has no newline, it counts as a line.
  void finish(const RecordSink& sink);
  /// The program ends: what has not settled of a file that was cut or deleted cannot be read
  /// again. It is counted as lost, with a note.
  void leave();
  void on_settled(Origin origin);
  /// Saves how far all is, if that has changed. Errors: io.
  Result<void> save();
  /// The same, but not right after it failed; an error is in notes().
  void try_save(Instant now);

  /// Sentences for the operator since the last call.
  std::vector<std::string> notes();
  [[nodiscard]] std::size_t file_count() const { return files_.size(); }
  /// A new file is not read yet, because its producer could not be saved.
  [[nodiscard]] bool is_held_up() const;
  /// Something was cut away unread, or could not be read again at the end.
  [[nodiscard]] bool has_lost() const { return has_lost_; }
  /// Lines beyond the limit, whose length is on record instead.
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }
  /// A file cannot be opened or read at present, or a pattern matches none.
  [[nodiscard]] bool has_trouble() const;

 private:
  struct Followed {
    std::unique_ptr<TailFile> tail;
    bool is_named{true};  // a pattern leads to it
    bool is_over{false};  // finished; kept until it has settled
    bool is_cut{false};   // what was read of it cannot be read again
    // Its producer is on disk. Before that nothing is read: after a crash the same line must
    // get the same name.
    bool is_saved{false};
    std::string trouble;  // why it could not be read; empty: it could
    Instant last_growth;
    std::optional<Instant> renamed_at;  // when it was first seen without a name
  };

  [[nodiscard]] std::uint64_t filter() const;
  void renumber(CheckpointEntry& entry);
  void note_too_long(TailFile& tail);
  void scan(Instant now);
  void look_for_cuts(Instant now, const RecordSink& sink);
  std::set<std::string> matching_paths();
  void adopt_path(const std::string& path, Instant now);
  void note_unopened(const std::string& path, int error);
  Followed& add(CheckpointEntry entry, Descriptor file, bool is_named, Instant now);
  void resume(const CheckpointEntry& entry, Instant now, std::chrono::sys_seconds date);
  bool take_up_copy(const CheckpointEntry& entry, Instant now);
  void seek_rotated(const std::vector<CheckpointEntry>& entries, Instant now);
  bool is_known(const LogFile& open, const std::vector<CheckpointEntry>& entries);
  void add_new(const std::string& path, LogFile& open, bool is_named, Instant now);
  bool take_up(CheckpointEntry entry, LogFile& open, bool is_named, Instant now);
  void keep_absent(CheckpointEntry entry, const std::string& why, std::chrono::sys_seconds date);
  Likeness match_absent(LogFile& open, const std::string& path, Instant now);
  void seek_absent(Instant now);
  void note_gone(const CheckpointEntry& entry);
  [[nodiscard]] bool is_asked_for(const std::string& path) const;
  std::size_t read_all(std::size_t bytes_max, Instant now, const RecordSink& sink);
  std::size_t read_one(
      Followed& followed, std::size_t bytes_max, Instant now, const RecordSink& sink);
  void begin_again(Followed& followed, Instant now, const RecordSink& sink);
  void end_idle(Followed& followed, Instant now, const RecordSink& sink);
  [[nodiscard]] bool has_successor(const Followed& followed) const;
  Followed* find(const FileId& id);

  Options options_;
  std::map<std::uint32_t, Followed> files_;  // by source
  std::vector<CheckpointEntry> absent_;
  std::filesystem::file_time_type saved_at_;  // the checkpoint of the start
  Instant next_seek_{};
  std::uint32_t next_source_{1};
  std::uint32_t next_to_read_{0};
  bool changed_{false};
  bool has_lost_{false};
  std::uint64_t too_long_{0};
  Trouble saving_;
  std::map<std::string, int> unopened_;  // by path: why; told once until it changes
  std::set<std::string> unmatched_;      // patterns, told once
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
