// SPDX-License-Identifier: Apache-2.0
//
// FileState: what a writer knows about its file, and FileEntry: what one write, or several in a
// row, added to it. An entry names every line it added, in the order of the file, so that the
// lines of any part of a file can be told by their names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/message.hpp"

#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/producer.hpp"
#include "tools/ringlog/range_set.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

/// How numbers of a producer stand in the file.
enum class AddedAs : std::uint8_t {
  line = 0,  ///< each is a line
  loss = 1,  ///< each is a marker: no writer ever got the lines
  gap = 2,   ///< all are in one marker: other writers had them; they are written when they come
};

struct Addition {
  Producer producer;
  Range range;
  AddedAs as{AddedAs::line};
  std::string daemon{};  ///< of the publisher; empty when it is not known

  bool operator==(const Addition&) const = default;
};

/// A marker line of the file: where it begins and how many lines it stands for.
struct FileMarker {
  std::uint64_t offset{0};
  std::uint64_t missing{0};
  bool operator==(const FileMarker&) const = default;
};

/// What stands between `before` and `after`.
struct FileEntry {
  FilePoint before;
  FilePoint after;
  std::optional<Position> position;  ///< of the last record in it
  std::int64_t time_ms{0};           ///< when it was first written, since 1970; 0: not known
  std::vector<Addition> additions;
  std::vector<FileMarker> markers;

  bool operator==(const FileEntry&) const = default;
  /// Lines are in it of which nobody knows the names: an adopted file.
  [[nodiscard]] bool is_unnamed() const { return additions.empty() && after.lines > before.lines; }
};

/// What stood in front of the part of a file that is kept.
struct FileFront {
  FilePoint begins;  ///< the part that is kept does
  Table table;       ///< names of the lines and losses in front of it
  Table gaps;        ///< what gap markers in front of it name

  bool operator==(const FileFront&) const = default;
};

/// The file as of `end`.
struct FileState {
  std::string group;
  FileFront front;
  FilePoint end;
  std::optional<Position> position;  ///< of the last record in it
  Table table;                       ///< lines, and losses that no writer got; also in front
  Table gaps;                        ///< what gap markers name; in the table too once it came
  std::vector<FileMarker> markers;   ///< of the part that is kept

  bool operator==(const FileState&) const = default;
};

/// Changes `state` to what it is after the write.
void apply(FileState& state, const FileEntry& entry);
/// Changes `front` to what it is when the entry is not kept. REQUIRES: entry.before is
/// front.begins.
void release(FileFront& front, const FileEntry& entry);
/// Makes `entry` stand for both. REQUIRES: next.before is entry.after.
void extend(FileEntry& entry, const FileEntry& next);
/// Adds behind the others, as one with the last where that says the same.
void add(std::vector<Addition>& additions, const Addition& next);

}  // namespace ringcast::ringlog
