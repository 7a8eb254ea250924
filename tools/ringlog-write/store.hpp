// SPDX-License-Identifier: Apache-2.0
//
// Store: the file of ringlog-write, its sidecar, its history and its pending files. Data is
// written, then its entry in the sidecar; a few times a second the data is synced and after it
// the sidecar. What was written can be read back, by any place another writer knows of.
// What the disk does not take waits in memory and is tried again after growing pauses. The
// store knows no session and no order; it is told the time.
//
// Invariant: is_kept() means that everything taken would survive a power cut now.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/ringlog-write/history.hpp"
#include "tools/ringlog-write/keep.hpp"
#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/segment.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

/// The system as the store uses it; tests put their own calls in place.
struct StoreCalls {
  WriteFunction write;
  SyncFunction sync;
  ReleaseFunction release{release_bytes};
  std::function<std::int64_t()> time_ms;  ///< since 1970
  std::function<Result<void>(const std::string& path)> sync_directory{sync_directory_of};
};

/// The file goes on at `to` behind its line that ends at `from`; what should stand between is
/// kept by no writer any more.
struct FileJump {
  FilePoint from;
  FilePoint to;
  std::uint64_t front{0};  ///< where the part that ends at `from` begins
  std::string marker;      ///< what is missing, as a line for those who read on

  bool operator==(const FileJump&) const = default;
};

/// Who looks on while the file grows; the sinks do.
class StoreObserver {
 public:
  StoreObserver() = default;
  StoreObserver(const StoreObserver&) = delete;
  StoreObserver& operator=(const StoreObserver&) = delete;
  virtual ~StoreObserver() = default;

  /// The file is ours and ends with the last line of `state`.
  virtual Result<void> on_open(const FileState& state) = 0;
  /// What stands behind `length` is going to be cut off; its lines come again, at a later place.
  virtual Result<void> on_cut(std::uint64_t length) = 0;
  /// `output.data` is going to stand at `offset` of the file.
  virtual void on_take(std::uint64_t offset, const ReconcilerOutput& output) = 0;
  /// Before what was taken is written, and before it is synced; the file waits for success.
  virtual Result<void> before_write() = 0;
  virtual Result<void> before_sync() = 0;
  /// The file's first `length` bytes and what the sidecar says of them are on the disk.
  virtual void on_kept(std::uint64_t length) = 0;
  /// The file goes on elsewhere.
  virtual Result<void> on_jump(const FileJump& jump) = 0;
  /// Everybody has read the file up to there.
  virtual std::uint64_t read_by_all() = 0;
  /// What stands in front of `begins` is given back to the file system.
  virtual void on_release(const FilePoint& begins) = 0;
};

struct StoreOptions {
  std::string group;
  std::string path;
  bool adopt{false};  ///< take an existing file that has no sidecar
  Keep keep;
  std::chrono::milliseconds sync_interval{200};
  std::function<void(const std::string&)> tell;  ///< a sentence for the operator
  std::size_t adopt_block_bytes{std::size_t{1} << 20U};
  StoreCalls calls{};
  StoreObserver* observer{nullptr};  ///< outlives the store
};

class Store {
 public:
  using Instant = Trouble::Instant;

  explicit Store(StoreOptions options) : options_(std::move(options)) {}

  /// Locks the file and finds out what it holds. Errors: invalid_argument when the file cannot be
  /// ours, corrupt, io.
  Result<void> open(Instant now);

  /// Takes data, entries and pending records out of `output`.
  void take(ReconcilerOutput& output);
  /// Writes what the disk takes, unless it refused a moment ago.
  void flush(Instant now);
  void sync_if_due(Instant now);
  /// Releases the front of the file that is not to be kept, when all is kept that was taken. Not
  /// to be called while a place in it is searched.
  void release_if_due(Instant now);
  /// When to flush or sync next, if there is anything to do.
  [[nodiscard]] std::optional<Instant> next_step() const;
  /// Tries until the deadline to write and sync all; true when that is done.
  bool finish(Instant deadline);

  /// What the file and its sidecar's entries say.
  [[nodiscard]] const FileState& written() const { return written_; }
  /// Where the part of the file that is kept begins.
  [[nodiscard]] const FilePoint& begins() const { return written_.front.begins; }
  [[nodiscard]] std::uint64_t lines_before() const { return lines_before_; }
  /// Data lines of the file once everything is written.
  [[nodiscard]] std::uint64_t planned_lines() const { return planned_.lines; }
  [[nodiscard]] std::size_t unwritten_bytes() const;
  /// Everything taken is on the disk, with the names of its files.
  [[nodiscard]] bool is_kept() const { return unwritten_bytes() == 0 && !dirty_; }

  [[nodiscard]] const History& history() const { return *history_; }
  /// The file at that length, if a line of what is written ends there. Errors: io.
  [[nodiscard]] Result<std::optional<FilePoint>> point_at(std::uint64_t length) const;
  /// Places between two, neither of them inside, at most so many, evenly; none when no line ends
  /// between them. Errors: io, corrupt.
  [[nodiscard]] Result<std::vector<FilePoint>> points_between(
      std::uint64_t low, std::uint64_t high, std::size_t count) const;
  struct Part {
    std::vector<FileEntry> entries;
    std::string data;
  };
  /// What is written behind `from`, about `bytes` of it, up to `until` unless that is 0; at the
  /// end nothing. Errors: io, corrupt; invalid_argument, when no line ends there.
  [[nodiscard]] Result<Part> read(
      const FilePoint& from, std::uint64_t bytes, std::uint64_t until) const;

  /// Cuts the file behind `point`; what stood there goes to pending files first, by name.
  /// Returns the number of lines. REQUIRES: everything is written. Errors: io; corrupt, when
  /// the lines have no names. After an error all is as before, or cut after all at the next start.
  Result<std::uint64_t> cut(const FilePoint& point, Instant now);

  /// Goes on behind another writer's front, and keeps nothing of the file as it was: lines of it
  /// that are not in that front go to pending files first, by name. Returns their number. As cut().
  Result<std::uint64_t> go_on_behind(const FileFront& front, Instant now);

  /// Pending files with the names of their lines, as found at the start.
  [[nodiscard]] std::map<ConfigurationId, Table> segments() const {
    return find_segments(options_.path);
  }
  [[nodiscard]] std::string segment_path_of(const ConfigurationId& configuration) const {
    return segment_path(options_.path, configuration);
  }
  /// Removes a pending file whose lines are all in the file, and kept. Errors: io.
  Result<void> remove_segment(const ConfigurationId& configuration);

 private:
  Result<LoadedState> initial_state();
  /// Returns how many lines that are.
  std::uint64_t set_aside(std::vector<PendingRecord> records);
  Result<std::uint64_t> set_tail_aside(
      const FilePoint& point, const Table& known, FileState& state);
  void tell_left_behind(const FileEntry& entry) const;
  Result<void> tell_jump(const FileFront& front);
  void find_out_about_holes();
  [[nodiscard]] std::int64_t time_ms() const;
  [[nodiscard]] Result<bool> is_release_due() const;
  Result<void> release_front(std::uint64_t read_by_all);
  void tell_held(bool is_held);
  Result<void> give_back(std::uint64_t read_by_all);
  Result<void> settle_pending();
  Result<void> save();
  Result<void> open_file(Instant now);
  void use_calls(AppendFile& file) const;
  void write(Instant now);
  Result<void> write_file();
  Result<void> write_pending();
  Result<void> open_pending(const PendingRecord& pending);
  void record_written();
  void sync(Instant now);
  Result<void> sync_files();
  void look_at_size();
  void look_at_name();

  StoreOptions options_;
  Descriptor lock_;
  std::optional<AppendFile> file_;
  std::optional<Sidecar> sidecar_;
  std::optional<History> history_;

  FileState written_;
  std::deque<FileEntry> unrecorded_;  // entries whose data is not yet written
  FilePoint planned_;                 // the file once everything is written
  std::uint64_t lines_before_{0};
  std::deque<PendingRecord> pending_;  // not yet handed to a pending file
  std::size_t pending_bytes_{0};
  std::map<std::string, AppendFile> pending_files_;
  std::set<std::string> known_pending_;  // opened since the start

  bool dirty_{false};      // something was written since the last sync
  bool new_names_{false};  // a pending file was made since the last sync
  Instant next_sync_{};
  Trouble write_trouble_{std::chrono::seconds{2}};
  Trouble sync_trouble_{std::chrono::seconds{2}};
  bool told_size_{false};  // of what another program does to our file
  bool told_name_{false};

  bool can_release_{true};       // the file system takes parts of a file back
  std::uint64_t given_back_{0};  // since the start
  Instant next_release_{};
  Trouble release_trouble_{std::chrono::seconds{60}};
  bool told_held_{false};  // that a sink has not read what could be released
};

}  // namespace ringcast::ringlog
