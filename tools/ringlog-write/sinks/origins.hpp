// SPDX-License-Identifier: Apache-2.0
//
// Origins (JOURNAL.origins): where the lines of a writer's file, the journal, came from, which
// their text does not say: publisher, daemon, sequence number, place in the order and the time
// of receipt. One sealed line per write, in the order of the journal, on the disk before the
// journal's data is. What it does not cover (an adopted file, a copy from elsewhere) is of
// unknown origin. Its header names the journal, so that a sink notices another one. It comes
// again from time to time: what follows can be read without what stood in front, which is
// released with the journal's own front.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/sparse_lines.hpp"

namespace ringcast::ringlog {

/// A publisher as lines name it; empty fields where nothing is known.
struct LineSource {
  std::string producer;  ///< 32 hex digits
  std::string name;
  std::string daemon;

  auto operator<=>(const LineSource&) const = default;
};

/// Consecutive lines of the journal with one origin.
struct OriginRun {
  std::uint64_t begin{0};  ///< bytes of the journal
  std::uint64_t end{0};
  const LineSource* source{nullptr};  ///< null: markers
  std::uint64_t first_seq{0};
  std::string configuration;  ///< empty when the place is not known
  std::uint64_t seq{0};
  std::uint32_t index{0};
  std::int64_t time_ms{0};  ///< of receipt at this writer, since 1970
};

/// A journal that is cut gets another name: a sink that was beyond goes back to there.
struct JournalCut {
  std::string journal;  ///< its name up to then
  std::uint64_t length{0};
};

/// Reads an origins file line by line, from any header on. Sources it hands out live as long as it
/// does.
class OriginParser {
 public:
  /// Takes a line without its newline. False: damaged, nothing behind it counts.
  bool take(std::string_view line, std::vector<OriginRun>& runs);
  /// The same, but runs that end at or before `begin` are not made.
  void skip_to(std::uint64_t begin) { begin_ = begin; }

  [[nodiscard]] const std::string& group() const { return group_; }
  [[nodiscard]] const std::string& journal() const { return journal_; }
  /// Names the journal had before, each with the length to which it was then cut.
  [[nodiscard]] const std::vector<JournalCut>& cuts() const { return cuts_; }
  /// Where the journal went on elsewhere, in order.
  [[nodiscard]] const std::vector<FileJump>& jumps() const { return jumps_; }
  /// So many headers came.
  [[nodiscard]] std::size_t headers() const { return headers_; }
  /// Of the last write.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  /// By their numbers.
  [[nodiscard]] const std::vector<const LineSource*>& sources() const { return numbers_; }
  [[nodiscard]] const std::string& configuration() const { return configuration_; }

 private:
  bool take_runs(std::string_view text, std::vector<OriginRun>& runs);
  bool take_name(std::string_view text);

  std::string group_;
  std::string journal_;
  std::vector<JournalCut> cuts_;
  std::vector<FileJump> jumps_;
  std::size_t headers_{0};
  std::set<LineSource> sources_;
  std::vector<const LineSource*> numbers_;
  std::string configuration_;
  std::uint64_t begin_{0};
  std::uint64_t end_{0};
};

std::string origins_path(const std::string& journal);

/// The writer's side: appends to the origins file.
class OriginLog {
 public:
  /// Takes the file up, or begins it; what lies beyond `length` of the journal is cut off, and
  /// so is what is damaged. `notes` gets a sentence for what was not as it should be.
  static Result<OriginLog> open(
      const std::string& journal, const FileState& state, std::vector<std::string>& notes);

  /// `output.data` is going to stand at `offset`.
  void append(std::uint64_t offset, const ReconcilerOutput& output, std::int64_t time_ms);
  Result<void> flush() { return file_.flush(); }
  Result<void> sync() { return file_.sync(); }
  /// The journal goes on elsewhere.
  Result<void> jump(const FileJump& jump);
  /// What tells of the journal in front of `length` is given back to the file system.
  Result<void> release(std::uint64_t length);
  /// The journal is cut to that length: forgets what is behind, and gives it another name.
  Result<void> cut(std::uint64_t length);
  [[nodiscard]] const std::string& journal() const { return journal_; }
  [[nodiscard]] const std::vector<JournalCut>& cuts() const { return cuts_; }
  [[nodiscard]] const std::vector<FileJump>& jumps() const { return jumps_; }
  [[nodiscard]] std::uint64_t written() const { return file_.length(); }

 private:
  OriginLog(AppendFile file, std::string group)
      : file_(std::move(file)), group_(std::move(group)) {}

  struct Part {
    std::uint64_t offset{0};          // of its header
    std::uint64_t journal_length{0};  // all that stands in front is of the journal up to there
  };

  class WriteLine;
  static Result<void> read(
      const FileState& state,
      OriginParser& parser,
      std::deque<Part>& parts,
      std::uint64_t& whole,
      SparseLines& lines);
  void begin_part(std::uint64_t journal_length);
  std::size_t index_of(const LineSource& source);
  void enter(const std::string& configuration);

  AppendFile file_;
  std::string group_;
  std::string journal_;
  std::deque<Part> parts_;
  std::vector<JournalCut> cuts_;
  std::vector<FileJump> jumps_;
  std::map<LineSource, std::size_t> sources_;
  std::string configuration_;
};

}  // namespace ringcast::ringlog
