// SPDX-License-Identifier: Apache-2.0
//
// LogFile: a regular file opened for reading, and whether it is the one that a checkpoint
// speaks of, be it under another name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/ringlog-publish/checkpoint.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

struct LogFile {
  Descriptor file;
  FileId id;
  std::uint64_t size{0};
};

struct Opening {
  std::optional<LogFile> file;
  int error{0};  ///< errno without a file; 0: what is there is no regular file
};
Opening open_log(const std::string& path);

/// Unknown: it has the inode, but its first bytes cannot be read just now.
enum class Likeness { same, other, unknown };
Likeness compare(const LogFile& open, const CheckpointEntry& entry);
/// Its place is taken for good: the same file system and inode, but other content.
bool is_replaced(const LogFile& open, const CheckpointEntry& entry);

/// The file of the entry under any name in the directory it was in.
std::optional<LogFile> find_renamed(const CheckpointEntry& entry);

}  // namespace ringcast::ringlog
