// SPDX-License-Identifier: Apache-2.0
//
// Sidecar (PATH.position): what ringlog-write knows about its file. A snapshot - length,
// position in the order, table of lines - and behind it one entry per write, each line with
// its own checksum. Entries are appended after their data; so after a kill nothing is
// forgotten, and after a power cut the longest run of entries whose data is really there
// counts, checked by the chain over the lines. The file is then cut to that length: its
// content and its table always agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

/// A marker line of the file: where it begins and how many lines it stands for.
struct FileMarker {
  std::uint64_t offset{0};
  std::uint64_t missing{0};
  bool operator==(const FileMarker&) const = default;
};

/// The file as of `length` bytes.
struct FileState {
  std::string group;
  std::uint64_t length{0};
  std::uint64_t lines{0};  ///< data lines, markers not counted
  std::uint64_t chain{0};
  std::optional<Position> position;  ///< of the last record in it
  Table table;
  std::vector<FileMarker> markers;

  bool operator==(const FileState&) const = default;
};

/// One write: what it added, and the state behind it.
struct FileEntry {
  std::uint64_t length{0};
  std::uint64_t lines{0};
  std::uint64_t chain{0};
  std::optional<Position> position;
  std::vector<Addition> additions;
  std::vector<FileMarker> markers;
};

/// Changes `state` to what it is after the write.
void apply(FileState& state, const FileEntry& entry);

std::string sidecar_path(const std::string& path);

/// What the sidecar and the file together prove, or nothing when there is no sidecar.
/// Does not change either. `notes` gets a sentence for everything that was not as it should be.
/// Errors: io; corrupt, when the file is shorter than its snapshot or the snapshot is damaged.
Result<std::optional<FileState>> load_state(
    const std::string& path, std::vector<std::string>& notes);

class Sidecar {
 public:
  /// Writes a first snapshot and is ready for entries.
  static Result<Sidecar> create(const std::string& path, const FileState& state);

  /// Takes the entry; flush() writes it. REQUIRES: the entry's data was written.
  void append(const FileEntry& entry);
  Result<void> flush() { return entries_.flush(); }
  Result<void> sync() { return entries_.sync(); }
  [[nodiscard]] std::size_t buffered() const { return entries_.buffered(); }
  [[nodiscard]] bool wants_snapshot() const;
  /// REQUIRES: all data of `state` was written and synced.
  Result<void> snapshot(const FileState& state);

 private:
  Sidecar(std::string path, AppendFile entries);

  std::string path_;
  AppendFile entries_;
  std::uint64_t snapshot_bytes_{0};
};

}  // namespace ringcast::ringlog
