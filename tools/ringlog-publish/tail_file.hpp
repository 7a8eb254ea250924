// SPDX-License-Identifier: Apache-2.0
//
// TailFile: one incarnation of one followed file, from its first byte to its last. It is one
// producer: its n-th line has sequence number n, whenever and however often it is read.
// Knows its offset of reading and, behind it, the offset up to which every line has settled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/batch.hpp"
#include "tools/ringlog-publish/checkpoint.hpp"
#include "tools/ringlog-publish/filter.hpp"
#include "tools/ringlog-publish/line_splitter.hpp"
#include "tools/ringlog-publish/outgoing_record.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

struct TailLimits {
  std::size_t line_bytes_max{std::size_t{64} << 10U};
  std::size_t batch_bytes{std::size_t{60} << 10U};
  LinesEncoder::Options encoding{};
  Filter* filter{nullptr};  ///< outlives the files; null: every line
};

class TailFile {
 public:
  /// Reads on at `entry.offset`. `source` comes back in the origin of every record.
  TailFile(std::uint32_t source, CheckpointEntry entry, Descriptor file, TailLimits limits);

  /// Reads at most about `bytes_max` and hands on every whole line. Returns the bytes read: 0 at
  /// the end of the file. Errors: io.
  Result<std::size_t> read(std::size_t bytes_max, const RecordSink& sink);
  /// Nothing more will be written to it: the unfinished last line counts as a line.
  void finish(const RecordSink& sink);
  /// A record of ours has settled.
  void on_settled(std::uint64_t mark);

  /// Looks how long the file is. True when it is shorter than what was read of it, or begins
  /// otherwise than it did: it was cut.
  [[nodiscard]] bool look();
  /// Bytes that the last look saw before the file was cut, and that were not read.
  [[nodiscard]] std::uint64_t unread() const {
    return std::max(seen_, read_offset_) - read_offset_;
  }
  /// Links left; 0 when it was deleted.
  [[nodiscard]] std::uint64_t links() const;
  /// All that was read has settled.
  [[nodiscard]] bool is_settled() const { return outstanding_.empty(); }
  /// Lines that were handed on and have not settled.
  [[nodiscard]] std::uint64_t unsettled_lines() const;
  /// The lengths of lines beyond the limit since the last call.
  std::vector<std::uint64_t> too_long() { return std::exchange(too_long_, {}); }
  [[nodiscard]] std::uint64_t offset() const { return read_offset_; }
  /// Bytes read of a last line that has no end yet.
  [[nodiscard]] std::uint64_t unfinished() const { return splitter_.unfinished(); }
  [[nodiscard]] const FileId& id() const { return entry_.id; }
  [[nodiscard]] const std::string& path() const { return entry_.path; }
  void set_path(const std::string& path) { entry_.path = path; }

  /// As of now: the first line that has not settled.
  [[nodiscard]] CheckpointEntry checkpoint() const;

 private:
  struct Place {
    std::uint64_t offset{0};
    std::uint64_t seq{1};
  };

  struct Outstanding {
    Place begin;
    std::uint64_t lines{0};
  };

  void on_line(const SplitLine& line, std::uint64_t newline, const RecordSink& sink);
  void note_too_long(std::uint64_t bytes, std::uint64_t next_offset, const RecordSink& sink);
  void remember_head();
  void hand_on(std::optional<OutgoingRecord> record, const RecordSink& sink);

  std::uint32_t source_;
  CheckpointEntry entry_;
  Descriptor file_;
  TailLimits limits_;
  LineSplitter splitter_;
  Batch batch_;
  Fingerprint head_;           // of the first bytes that were read
  std::uint64_t read_offset_;  // bytes taken from the file
  std::uint64_t seen_{0};      // bytes in the file when it was looked at
  std::uint64_t line_offset_;  // where the next line begins
  Place handed_on_;            // behind the last record
  std::vector<std::uint64_t> too_long_;
  std::map<std::uint64_t, Outstanding> outstanding_;  // by mark: the record's end
};

}  // namespace ringcast::ringlog
