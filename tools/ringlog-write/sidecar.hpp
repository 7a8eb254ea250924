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

#include "ringcast/result.hpp"

#include "tools/ringlog-write/file_state.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

/// What a sidecar and its file prove, and the entries behind its snapshot.
struct LoadedState {
  FileState state;
  std::vector<FileEntry> recent;
};

std::string sidecar_path(const std::string& path);

/// What the sidecar and the file together prove, or nothing when there is no sidecar.
/// Does not change either. `notes` gets a sentence for everything that was not as it should be.
/// Errors: io; corrupt, when the file is shorter than its snapshot or the snapshot is damaged.
Result<std::optional<LoadedState>> load_state(
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
