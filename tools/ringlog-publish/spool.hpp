// SPDX-License-Identifier: Apache-2.0
//
// Spool: records on disk that found no room in memory, oldest first. Append-only segments,
// each record behind its length and checksum; a segment is removed when all its records have
// settled. A record that reaches past the end of its file is cut off at the start; a damaged
// segment is read up to the damage and set aside. Records carry their producer and sequence
// numbers, so sending one again after a crash is harmless.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/spool_sync.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

class LossNotes;

struct SpooledRecord {
  std::vector<std::byte> payload;
  std::uint64_t segment{0};  ///< to be given to on_settled()
};

class Spool {
 public:
  struct Options {
    std::string directory;
    std::uint64_t bytes_max{std::uint64_t{1} << 30U};
    std::uint64_t segment_bytes{std::uint64_t{8} << 20U};
    /// How a segment gets other content for good; a test counts or fails it.
    std::function<Result<void>(const std::string& path, std::string_view content)> replace{
        replace_file};
    /// fdatasync, by a thread of its own; a test holds it up or fails it.
    SyncFunction sync{::fdatasync};
  };

  /// Takes the directory for itself, checks what lies there. `notes` gets a sentence for all
  /// that was cut or set aside. Errors: io; invalid_argument, when another process uses it.
  static Result<Spool> open(Options options, std::vector<std::string>& notes);

  [[nodiscard]] bool has_room(std::size_t payload_bytes) const;
  /// Behind everything else. Errors: io; the record was not taken.
  Result<void> append(std::span<const std::byte> payload);
  /// Before everything else, behind what was put there before: for the end of a program, whose
  /// memory holds what is older than the spool. Errors: io; the record was not taken.
  Result<void> put_in_front(std::span<const std::byte> payload);
  /// Begins to make what was appended survive a power cut; does not wait for it. Errors: io, of
  /// what was begun before: it is tried again by the next call.
  Result<void> sync();
  /// The same, and waits for it.
  Result<void> sync_now();

  /// Records remain to be read.
  [[nodiscard]] bool has_unread() const { return unread_ > 0; }
  /// The oldest record not yet read. REQUIRES: has_unread(). Errors: io; corrupt, then what is
  /// left of its segment was given up; io, then it can be tried again.
  Result<SpooledRecord> read_next();
  /// Gives up the oldest segments of which nothing was read, as many as make room for a payload
  /// of that size: notes of what is lost take their place, as LossNotes makes them, and are synced
  /// once. Returns the lines; nothing when that makes no room. Errors: io, then all is as it was.
  Result<std::optional<std::uint64_t>> drop_for(std::size_t payload_bytes);
  /// The same for every such segment last written before that time. Returns the lines.
  Result<std::uint64_t> drop_older_than(std::chrono::file_clock::time_point limit);
  /// One record of the segment has settled.
  Result<void> on_settled(std::uint64_t segment);

  /// Something was damaged and set aside, since the start or before it.
  [[nodiscard]] bool has_lost() const { return has_lost_; }
  /// Bytes on disk; records that were not read yet.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t unread() const { return unread_; }

 private:
  struct Segment {
    std::uint64_t number{0};
    std::uint64_t bytes{0};
    std::uint64_t records{0};
    std::uint64_t read{0};     // records
    std::uint64_t offset{0};   // of the next record to read
    std::uint64_t settled{0};  // records
    bool is_damaged{false};
    bool is_dropped{false};  // holds notes only
  };

  // Leaves room below for what is put in front.
  static constexpr std::uint64_t first_number = 1'000'000'000;

  using Segments = std::deque<Segment>;

  explicit Spool(Options options) : options_(std::move(options)), sync_(options_.sync) {}
  static bool is_droppable(const Segment& segment);
  static bool is_unread(const Segment& segment);
  Result<void> note_losses(const Segment& segment, LossNotes& notes) const;
  Result<std::uint64_t> drop(Segments::iterator first, const Segments::iterator& last);
  std::string free_damaged_path(std::uint64_t number);
  void forget_open(const Segment& segment);
  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  Result<void> load(std::vector<std::string>& notes);
  Result<void> check_segment(std::uint64_t number, std::vector<std::string>& notes);
  Result<AppendFile> begin_segment(std::uint64_t number);
  Result<void> write(
      std::optional<AppendFile>& file, Segment& segment, std::span<const std::byte> payload);
  void add_segment(const Segment& segment);
  Result<void> remove_settled();
  Result<void> remove_files(const Segment& segment);

  Options options_;
  SpoolSync sync_;
  Descriptor lock_;
  Segments segments_;
  std::optional<AppendFile> front_;  // the first segment, when something was put in front
  std::optional<AppendFile> tail_;   // the segment that is appended to: the last
  Descriptor reading_;
  std::uint64_t reading_number_{0};
  std::uint64_t next_number_{first_number};
  std::uint64_t bytes_{0};
  std::uint64_t unread_{0};
  bool has_lost_{false};
};

}  // namespace ringcast::ringlog
