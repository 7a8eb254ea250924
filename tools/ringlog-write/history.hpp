// SPDX-License-Identifier: Apache-2.0
//
// History (PATH.history): which names the lines of every part of the file have, and the chain
// at each part's end. Entries like those of the sidecar, one behind the other, as many writes
// in one as make a good part. With it a writer can prove to another how far their files agree,
// give it what it misses with the names of the lines, and find a place by time or position.
// In memory are only a few places of it, about one per MiB of the file. It begins where the part
// of the file that is kept begins; what it has of what stood in front is released, too.
//
// What it lacks at its end after a kill the sidecar's entries supply; what it lacks otherwise
// becomes an entry without names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/file_state.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

std::string history_path(const std::string& path);

class History {
 public:
  /// Of the file `path`, which is as `loaded` says. What goes beyond is cut off, and what is in
  /// front of the part that is kept is not looked at.
  static Result<History> open(const std::string& path, const LoadedState& loaded);

  /// Takes the entry; flush() writes it once it has grown. REQUIRES: entry.before is end().
  void append(const FileEntry& entry);
  /// Errors: io; nothing is lost, a later one goes on.
  Result<void> flush();
  /// Writes the last entry however small, and syncs. Errors: io.
  Result<void> settle();
  /// Forgets what is behind `end`; `rest` leads there from the last whole entry before it.
  Result<void> cut(const FilePoint& end, const std::optional<FileEntry>& rest);

  /// Forgets the entries in front. REQUIRES: an entry begins at `begins`, and all is settled.
  /// Errors: io, corrupt.
  Result<void> forget_front(const FilePoint& begins);
  /// Forgets all; what is appended next begins there. Errors: io.
  Result<void> begin_anew(const FilePoint& begins);
  /// Bytes at the front of its own file that hold nothing any more.
  [[nodiscard]] std::uint64_t stale_bytes() const { return stale_bytes_; }
  [[nodiscard]] int fd() const { return file_.fd(); }

  [[nodiscard]] const FilePoint& end() const { return end_; }
  [[nodiscard]] std::size_t buffered() const { return file_.buffered(); }
  /// Entries that end behind `length`, in order, until they stand for `bytes` of the file or
  /// are at the end; one at least, if there is any. Errors: io, corrupt.
  [[nodiscard]] Result<std::vector<FileEntry>> from(
      std::uint64_t length, std::uint64_t bytes) const;
  /// Calls visit(entry) from the first entry on, until it returns false. Errors: io, corrupt.
  [[nodiscard]] Result<void> visit(const std::function<bool(const FileEntry&)>& visit) const;
  /// Places where entries begin, between two lengths and neither inside; about `count` of them
  /// when there are many. Errors: io, corrupt.
  [[nodiscard]] Result<std::vector<FilePoint>> points(
      std::uint64_t low, std::uint64_t high, std::size_t count) const;
  /// The beginning of the first entry, of those that have a time, that is not older.
  [[nodiscard]] Result<FilePoint> at_time(std::int64_t time_ms) const;
  /// The beginning of the entry that holds the data line of that number, from 1.
  [[nodiscard]] Result<FilePoint> at_line(std::uint64_t number) const;
  /// The beginning of the first entry whose last record comes behind `position`.
  [[nodiscard]] Result<FilePoint> at_position(const Position& position) const;

  void set_calls(WriteFunction write, SyncFunction sync);

 private:
  struct Mark {
    FilePoint before;  // of the entry that stands there
    std::uint64_t offset{0};
    std::int64_t time_ms{0};
  };

  explicit History(AppendFile file) : file_(std::move(file)) {}
  /// Reads what is of a file that is as `state` says, up to byte `good`, and returns what of the
  /// next entry is. Errors: io.
  static Result<std::optional<FileEntry>> load(
      const std::string& path, const FileState& state, History& history, std::uint64_t& good);
  void note(const FileEntry& entry, std::uint64_t offset);
  void write_growing();
  template <class Predicate>
  [[nodiscard]] Result<FilePoint> first(std::size_t mark, Predicate predicate) const;
  template <class Visit>
  [[nodiscard]] Result<bool> visit_file(std::uint64_t offset, std::uint64_t end, Visit visit) const;
  /// Calls visit(entry) from the mark on, until it returns false.
  template <class Visit>
  [[nodiscard]] Result<void> visit_from(std::size_t mark, Visit visit) const;

  AppendFile file_;
  std::vector<Mark> marks_;
  std::uint64_t stale_bytes_{0};
  FilePoint end_;
  std::vector<FileEntry> unflushed_;  // in the file's buffer, or partly
  std::optional<FileEntry> growing_;
};

}  // namespace ringcast::ringlog
