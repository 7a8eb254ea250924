// SPDX-License-Identifier: Apache-2.0
//
// Entries and states as sealed lines of text: the sidecar and the history are made of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/file_state.hpp"

namespace ringcast::ringlog {

/// With a newline.
std::string snapshot_line(const FileState& state);
/// The line without its newline. Errors: corrupt, unsupported_version; `path` is for their text.
Result<FileState> parse_snapshot(std::string_view line, const std::string& path);

/// With a newline. The entry's beginning is in it.
std::string entry_line(const FileEntry& entry);
/// The line without its newline; nothing when it is damaged. One without a beginning (of an
/// earlier version) begins at `before`.
std::optional<FileEntry> parse_entry(std::string_view line, const FilePoint& before);

}  // namespace ringcast::ringlog
