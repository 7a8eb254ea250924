// SPDX-License-Identifier: Apache-2.0
//
// Reading a spool file past damage.
#include "tools/ringlog-publish/spool_survey.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <variant>

#include "tools/ringlog-publish/spool_frames.hpp"
#include "tools/ringlog/bytes.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

struct Found {
  SpoolFrame frame;
  std::optional<Record> record;  // when the frame is whole and holds one
};

class Surveyor {
 public:
  Surveyor(std::string path, int fd, std::uint64_t size, const SurveySink& sink)
      : path_(std::move(path)), fd_(fd), size_(size), sink_(sink) {}

  Result<SpoolSurvey> run() {
    survey_.bytes = size_;
    while (offset_ < size_) {
      auto found = find_at(offset_);
      if (!found) return found.error();
      if (found->record) {
        take(*found);
      } else if (auto passed = pass_damage(found->frame.kind); !passed) {
        return passed.error();
      }
    }
    return survey_;
  }

  Result<std::optional<std::uint64_t>> find_from(std::uint64_t offset) {
    for (; offset < size_; ++offset) {
      if (!may_begin_at(offset)) continue;
      const auto found = find_at(offset);
      if (!found) return found.error();
      if (found->record) return std::optional(offset);
    }
    return std::optional<std::uint64_t>();
  }

 private:
  Result<Found> find_at(std::uint64_t offset) {
    auto frame = spool_frame_at(fd_, offset, size_, path_);
    if (!frame) return frame.error();
    Found found{std::move(frame).value(), std::nullopt};
    if (found.frame.kind != SpoolFrame::Kind::record) return found;
    auto record = decode_record(std::as_bytes(std::span(found.frame.payload)));
    if (record) found.record = std::move(record).value();
    return found;
  }

  void take(const Found& found) {
    ++survey_.records;
    const auto* const lines = std::get_if<Lines>(&found.record->body);
    if (lines != nullptr) survey_.lines += lines->lines.size();
    sink_(found.frame.payload, *found.record);
    offset_ += spool_head_bytes + found.frame.payload.size();
  }

  // To the next whole record, or to the end. Without one behind it a torn record is torn.
  Result<void> pass_damage(SpoolFrame::Kind kind) {
    const auto next = find_from(offset_ + 1);
    if (!next) return next.error();
    const auto end = next->value_or(size_);
    const bool is_torn = kind == SpoolFrame::Kind::torn && !next->has_value();
    (is_torn ? survey_.torn_bytes : survey_.damaged_bytes) += end - offset_;
    offset_ = end;
    return {};
  }

  // A cheap look before the checksum of megabytes: the record's version behind a length that
  // fits. Reads the file in blocks.
  bool may_begin_at(std::uint64_t offset) {
    constexpr std::size_t look_bytes = spool_head_bytes + 1;
    constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20U;
    if (offset + look_bytes > size_) return false;
    if (offset < block_begin_ || offset + look_bytes > block_begin_ + block_.size()) {
      auto block = read_part(fd_, offset, std::min(size_, offset + block_bytes), path_);
      if (!block) return true;  // looked at in full, where the error is told
      block_ = std::move(block).value();
      block_begin_ = offset;
    }
    const auto part = std::string_view(block_).substr(offset - block_begin_, look_bytes);
    PayloadReader in(std::as_bytes(std::span(part)));
    const auto length = in.number<std::uint32_t>();
    return offset + spool_head_bytes + length <= size_ && part.back() == '\1';
  }

  std::string path_;
  int fd_;
  std::uint64_t size_;
  const SurveySink& sink_;
  std::uint64_t offset_{0};
  std::string block_;
  std::uint64_t block_begin_{0};
  SpoolSurvey survey_;
};

}  // namespace

Result<SpoolSurvey> survey_segment(const std::string& path, const SurveySink& sink) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(path, "cannot open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(path, "cannot stat", errno);
  return Surveyor(path, file.get(), static_cast<std::uint64_t>(status.st_size), sink).run();
}

Result<std::optional<std::uint64_t>> next_record(
    int fd, std::uint64_t offset, std::uint64_t size, const std::string& path) {
  return Surveyor(path, fd, size, [](std::string_view, const Record&) {}).find_from(offset);
}

}  // namespace ringcast::ringlog
