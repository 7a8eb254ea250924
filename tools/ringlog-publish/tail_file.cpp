// SPDX-License-Identifier: Apache-2.0
//
// Reading one file as it grows.
#include "tools/ringlog-publish/tail_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

TailFile::TailFile(std::uint32_t source, CheckpointEntry entry, Descriptor file, TailLimits limits)
    : source_(source),
      entry_(std::move(entry)),
      file_(std::move(file)),
      limits_(limits),
      splitter_(limits.line_bytes_max),
      batch_(entry_.producer, entry_.seq, limits.encoding),
      head_(entry_.fingerprint),
      read_offset_(entry_.offset),
      line_offset_(entry_.offset),
      handed_on_{entry_.offset, entry_.seq} {}

Result<std::size_t> TailFile::read(std::size_t bytes_max, const RecordSink& sink) {
  std::array<char, 65536> block{};
  std::size_t total = 0;
  while (total < bytes_max) {
    const auto got =
        ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(read_offset_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(entry_.path, "cannot read", errno);
    if (got == 0) break;
    const auto bytes = static_cast<std::size_t>(got);
    read_offset_ += bytes;
    total += bytes;
    splitter_.feed({block.data(), bytes}, [&](const SplitLine& line) { on_line(line, 1, sink); });
  }
  hand_on(batch_.take(), sink);
  remember_head();
  return total;
}

void TailFile::remember_head() {
  const auto bytes = std::min(read_offset_, fingerprint_bytes_max);
  if (bytes <= head_.bytes) return;
  if (const auto head = fingerprint_of(file_.get(), bytes)) head_ = *head;
}

void TailFile::finish(const RecordSink& sink) {
  splitter_.end([&](const SplitLine& line) { on_line(line, 0, sink); });
  hand_on(batch_.take(), sink);
}

void TailFile::on_line(const SplitLine& line, std::uint64_t newline, const RecordSink& sink) {
  const auto next_offset = line_offset_ + line.bytes + newline;
  auto text = std::optional(line.text);
  if (!line.too_long && limits_.filter != nullptr) text = limits_.filter->apply(line.text);
  if (line.too_long || (text && text->size() > limits_.line_bytes_max)) {
    note_too_long(line.too_long ? line.bytes : text->size(), next_offset, sink);
    return;
  }
  if (text && !batch_.empty() &&
      batch_.bytes() + text->size() + line_overhead_bytes > limits_.batch_bytes) {
    hand_on(batch_.take(), sink);
  }
  if (text) batch_.add(*text);
  line_offset_ = next_offset;
  // What is left out settles with the lines before it, or at once.
  if (batch_.empty() && outstanding_.empty()) handed_on_.offset = line_offset_;
}

void TailFile::note_too_long(
    std::uint64_t bytes, std::uint64_t next_offset, const RecordSink& sink) {
  hand_on(batch_.take(), sink);
  line_offset_ = next_offset;
  too_long_.push_back(bytes);
  hand_on(batch_.note(TooLong{bytes}), sink);
}

void TailFile::hand_on(std::optional<OutgoingRecord> record, const RecordSink& sink) {
  if (!record) return;
  outstanding_.emplace(line_offset_, Outstanding{handed_on_, record->lines});
  handed_on_ = Place{line_offset_, batch_.next_seq()};
  record->origin = Origin{source_, line_offset_};
  sink(std::move(*record));
}

void TailFile::on_settled(std::uint64_t mark) { outstanding_.erase(mark); }

std::uint64_t TailFile::unsettled_lines() const {
  std::uint64_t lines = 0;
  for (const auto& [mark, record] : outstanding_) {
    lines += record.lines;
  }
  return lines;
}

bool TailFile::look() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < read_offset_) return true;
  if (head_.bytes > 0) {
    const auto head = fingerprint_of(file_.get(), head_.bytes);
    if (head && *head != head_) return true;
  }
  seen_ = size;
  return false;
}

std::uint64_t TailFile::links() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return 0;
  return status.st_nlink;
}

CheckpointEntry TailFile::checkpoint() const {
  const auto place = outstanding_.empty() ? handed_on_ : outstanding_.begin()->second.begin;
  auto entry = entry_;
  entry.offset = place.offset;
  entry.seq = place.seq;
  entry.fingerprint = head_;
  return entry;
}

}  // namespace ringcast::ringlog
