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
      batch_(entry_.producer, entry_.seq),
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
  if (line.too_long) {
    hand_on(batch_.take(), sink);
    line_offset_ += line.bytes + newline;
    hand_on(batch_.note(TooLong{line.bytes}), sink);
    return;
  }
  if (!batch_.empty() &&
      batch_.bytes() + line.text.size() + line_overhead_bytes > limits_.batch_bytes) {
    hand_on(batch_.take(), sink);
  }
  batch_.add(line.text);
  line_offset_ += line.bytes + newline;
}

void TailFile::hand_on(const std::optional<Record>& record, const RecordSink& sink) {
  if (!record) return;
  outstanding_.emplace(line_offset_, Outstanding{handed_on_, line_count(*record)});
  handed_on_ = Place{line_offset_, batch_.next_seq()};
  sink(*record, Origin{source_, line_offset_});
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
