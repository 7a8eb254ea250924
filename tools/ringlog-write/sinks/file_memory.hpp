// SPDX-License-Identifier: Apache-2.0
//
// FileMemory (JOURNAL.sink-NAME): what a file sink has to know after a crash: its position, the
// files it was about to lengthen and how long they were, the names it has admitted, and what is
// closed but not yet compressed. Sealed lines, appended; written anew when it has grown.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/common/json.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

/// A file and its length before it was touched.
struct TouchedFile {
  std::string path;
  std::uint64_t length{0};
};

class FileMemory {
 public:
  /// Reads what is there. With `is_synced` every step is on the disk before the next.
  static Result<FileMemory> open(const std::string& path, bool is_synced);

  /// The files of the next step are about to grow. REQUIRES: no step is under way.
  Result<void> begin(const std::vector<TouchedFile>& files);
  /// All of the step is in its files.
  Result<void> commit(const SinkPosition& position);
  /// Of a step that was begun and not committed.
  [[nodiscard]] const std::vector<TouchedFile>& touched() const { return touched_; }
  [[nodiscard]] const std::optional<SinkPosition>& position() const { return position_; }

  /// Remembers the name, with the next step; false when that were more than `names_max`.
  bool admit(std::uint64_t name, std::size_t names_max);
  /// A file of this period; all of them are handed out by next_period. With the next step.
  void use(const std::string& path);
  /// Begins another period, and returns the files of the last, when `period` is another.
  std::set<std::string> next_period(const std::string& period);
  [[nodiscard]] const std::string& period() const { return period_; }
  /// A file that is to be compressed, from now on until it is.
  void close(const std::string& path);
  void closed(const std::string& path);
  /// What was remembered "with the next step" is remembered now.
  Result<void> keep() { return write(); }
  [[nodiscard]] const std::set<std::string>& closing() const { return closing_; }

 private:
  FileMemory(std::string path, bool is_synced) : path_(std::move(path)), is_synced_(is_synced) {}

  void apply(const tools::Json& json);
  void note(const tools::Json& json);
  Result<void> write();
  Result<void> rewrite();
  [[nodiscard]] std::string content() const;

  std::string path_;
  bool is_synced_;
  std::optional<AppendFile> file_;
  std::uint64_t rewritten_bytes_{0};
  std::string noted_;  // not yet handed to the file

  std::optional<SinkPosition> position_;
  std::vector<TouchedFile> touched_;
  std::set<std::uint64_t> names_;
  std::string period_;
  std::set<std::string> used_;
  std::set<std::string> closing_;
};

}  // namespace ringcast::ringlog
