// SPDX-License-Identifier: Apache-2.0
//
// Store: the file of ringlog-write, its sidecar and its pending files. Data is written, then
// its entry in the sidecar; a few times a second the data is synced and after it the sidecar.
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

#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

/// The system as the store uses it; tests put their own calls in place.
struct StoreCalls {
  WriteFunction write;
  SyncFunction sync;
  std::function<Result<void>(const std::string& path)> sync_directory{sync_directory_of};
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
  /// `output.data` is going to stand at `offset` of the file.
  virtual void on_take(std::uint64_t offset, const ReconcilerOutput& output) = 0;
  /// Before what was taken is written, and before it is synced; the file waits for success.
  virtual Result<void> before_write() = 0;
  virtual Result<void> before_sync() = 0;
  /// The file's first `length` bytes and what the sidecar says of them are on the disk.
  virtual void on_kept(std::uint64_t length) = 0;
};

struct StoreOptions {
  std::string group;
  std::string path;
  bool adopt{false};  ///< take an existing file that has no sidecar
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

  /// Takes data and pending records out of `output`; `chain` and `position` are those behind it.
  void take(ReconcilerOutput& output, std::uint64_t chain, const std::optional<Position>& position);
  /// Writes what the disk takes, unless it refused a moment ago.
  void flush(Instant now);
  void sync_if_due(Instant now);
  /// When to flush or sync next, if there is anything to do.
  [[nodiscard]] std::optional<Instant> next_step() const;
  /// Tries until the deadline to write and sync all; true when that is done.
  bool finish(Instant deadline);

  /// What the file and its sidecar's entries say.
  [[nodiscard]] const FileState& written() const { return written_; }
  [[nodiscard]] std::uint64_t lines_before() const { return lines_before_; }
  /// Data lines of the file once everything is written.
  [[nodiscard]] std::uint64_t planned_lines() const { return planned_lines_; }
  [[nodiscard]] std::size_t unwritten_bytes() const;
  /// Everything taken is on the disk, with the names of its files.
  [[nodiscard]] bool is_kept() const { return unwritten_bytes() == 0 && !dirty_; }

 private:
  Result<FileState> initial_state();
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

  FileState written_;
  std::deque<FileEntry> unrecorded_;  // entries whose data is not yet written
  std::uint64_t planned_length_{0};   // of the file once everything is written
  std::uint64_t planned_lines_{0};
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
};

}  // namespace ringcast::ringlog
