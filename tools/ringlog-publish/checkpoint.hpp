// SPDX-License-Identifier: Apache-2.0
//
// Checkpoint: how far each followed file is, in one small JSON file that is replaced
// atomically. An entry names the file by device, inode and a hash of its first bytes, its
// producer, and the offset and sequence number of the first line that has not settled: read
// again from there, every line gets the number it had before.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog/producer.hpp"

namespace ringcast::ringlog {

struct FileId {
  std::uint64_t device{0};
  std::uint64_t inode{0};

  auto operator<=>(const FileId&) const = default;
};

/// Hash of the first `bytes` bytes of a file: tells a reused inode from the file before it.
struct Fingerprint {
  std::uint64_t bytes{0};
  std::uint64_t hash{0};

  auto operator<=>(const Fingerprint&) const = default;
};
inline constexpr std::uint64_t fingerprint_bytes_max = 256;
/// Of an open file. Errors: io, also when it has fewer bytes.
Result<Fingerprint> fingerprint_of(int fd, std::uint64_t bytes);

struct CheckpointEntry {
  std::string path;  ///< the last one that a pattern of --tail led to
  FileId id;
  Fingerprint fingerprint;
  Producer producer;
  std::uint64_t offset{0};
  std::uint64_t seq{1};     ///< of the line that begins at offset
  std::uint64_t filter{0};  ///< Filter::fingerprint() by which lines were numbered
  /// Since when it is kept without being followed: its file is not there or not asked for.
  std::optional<std::chrono::sys_seconds> absent_since{};

  bool operator==(const CheckpointEntry&) const = default;
};

/// Errors: io; corrupt, with what to do. No file: no entries.
Result<std::vector<CheckpointEntry>> load_checkpoint(const std::string& path);
Result<void> save_checkpoint(const std::string& path, const std::vector<CheckpointEntry>& entries);

}  // namespace ringcast::ringlog
