// SPDX-License-Identifier: Apache-2.0
//
// JournalReader: the lines of a journal from any line's beginning on, each with its origin.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/sinks/origins.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

struct JournalLine {
  std::string_view text;  ///< without its newline; valid as long as its batch
  std::uint64_t end{0};   ///< offset behind its newline
  OriginRun origin;       ///< first_seq is the line's own
  bool is_marker{false};
};

/// Whole lines, from `begin` to `end` of the journal.
struct JournalBatch {
  std::uint64_t begin{0};
  std::uint64_t end{0};
  std::unique_ptr<const std::string> text;  ///< its place does not change when the batch moves
  std::vector<JournalLine> lines;
};

class JournalReader {
 public:
  /// Opens both files and finds the origins of what stands at `begin`. Errors: io; corrupt, when
  /// the journal is shorter than that.
  static Result<JournalReader> open(const std::string& journal, std::uint64_t begin);

  /// The next lines below `kept`: about `bytes_max` bytes, but at least one line. The batch is
  /// valid until the next call. REQUIRES: begin() < kept, and kept is where a line ends.
  Result<JournalBatch> read(std::uint64_t kept, std::size_t bytes_max);
  [[nodiscard]] std::uint64_t begin() const { return begin_; }

 private:
  JournalReader(std::string path, Descriptor journal, Descriptor origins, std::uint64_t begin);

  Result<std::string> read_lines(std::uint64_t kept, std::size_t bytes_max);
  Result<void> read_origins(std::uint64_t end);
  std::optional<std::string_view> next_origins_line();
  Result<void> cut_first_run();
  OriginRun origin_of(std::uint64_t begin, std::uint64_t end);

  std::string path_;
  Descriptor journal_;
  Descriptor origins_;
  std::uint64_t begin_;
  std::uint64_t origins_at_{0};
  std::string origins_text_;  // read, from origins_next_ on not yet parsed
  std::size_t origins_next_{0};
  bool origins_over_{false};  // damaged: nothing behind it counts
  OriginParser parser_;
  std::vector<OriginRun> runs_;
  std::size_t run_{0};
};

}  // namespace ringcast::ringlog
