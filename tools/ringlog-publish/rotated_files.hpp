// SPDX-License-Identifier: Apache-2.0
//
// RotatedFiles: what a log's rotation has left beside it while nobody followed it: files called
// like the log with a number or a date behind (access.log.1, access.log-20260102), not
// compressed, written since a given time.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-publish/checkpoint.hpp"
#include "tools/ringlog-publish/log_file.hpp"

namespace ringcast::ringlog {

struct RotatedFile {
  std::string path;
  LogFile open;
};

/// Those of the log at `path`, in the order in which they were last written.
std::vector<RotatedFile> rotated_since(
    const std::string& path, std::filesystem::file_time_type since);

/// Begins like the file of the entry, which has another inode: a copy of it.
bool is_copy(const LogFile& open, const CheckpointEntry& entry);

/// Files that are compressed are no logs to be followed.
bool is_compressed(std::string_view path);

}  // namespace ringcast::ringlog
