// SPDX-License-Identifier: Apache-2.0
//
// Two files read side by side.
#include "tools/ringlog-write/sinks/journal_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog/sparse_lines.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t origins_block = std::size_t{256} << 10U;

const LineSource& unknown_source() {
  static const LineSource unknown;
  return unknown;
}

}  // namespace

JournalReader::JournalReader(
    std::string path, Descriptor journal, Descriptor origins, std::uint64_t begin)
    : path_(std::move(path)),
      journal_(std::move(journal)),
      origins_(std::move(origins)),
      begin_(begin) {
  parser_.skip_to(begin);
  origins_at_ = first_data(origins_.get(), 0);
}

Result<JournalReader> JournalReader::open(const std::string& journal, std::uint64_t begin) {
  Descriptor file(::open(journal.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(journal, "cannot open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(journal, "cannot stat", errno);
  if (std::cmp_less(status.st_size, begin)) {
    return Error{
        Errc::corrupt,
        journal + ": holds " + std::to_string(status.st_size) + " bytes, but this sink is at " +
            std::to_string(begin) +
            "; the journal was restored from an older copy: bring back the newer one, or give the "
            "sink a new name to begin anew"};
  }
  const auto path = origins_path(journal);
  Descriptor origins(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!origins.is_open()) return system_error(path, "cannot open", errno);
  return JournalReader(journal, std::move(file), std::move(origins), begin);
}

Result<JournalBatch> JournalReader::read(std::uint64_t kept, std::size_t bytes_max) {
  auto text = read_lines(kept, bytes_max);
  if (!text) return text.error();
  JournalBatch batch;
  batch.begin = begin_;
  batch.end = begin_ + text->size();
  batch.text = std::make_unique<const std::string>(std::move(text).value());
  if (auto read = read_origins(batch.end); !read) return read.error();
  std::uint64_t at = batch.begin;
  for (std::string_view rest(*batch.text); !rest.empty();) {
    const auto size = rest.find('\n');
    JournalLine line;
    line.text = rest.substr(0, size);
    line.end = at + size + 1;
    line.origin = origin_of(at, line.end);
    line.is_marker = line.origin.source == nullptr;
    batch.lines.push_back(std::move(line));
    at += size + 1;
    rest.remove_prefix(size + 1);
  }
  begin_ = batch.end;
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(run_));
  run_ = 0;
  return batch;
}

Result<std::string> JournalReader::read_lines(std::uint64_t kept, std::size_t bytes_max) {
  for (auto size = bytes_max;; size *= 2) {
    const auto end = std::min<std::uint64_t>(kept, begin_ + size);
    auto text = read_part(journal_.get(), begin_, end, path_);
    if (!text) return text.error();
    const auto newline = text->rfind('\n');
    if (newline != std::string::npos) {
      text->resize(newline + 1);
      return text;
    }
    if (end == kept) {
      return Error{
          Errc::corrupt,
          path_ + ": no newline between byte " + std::to_string(begin_) + " and " +
              std::to_string(kept) + "; another program wrote to it"};
    }
  }
}

std::optional<std::string_view> JournalReader::next_origins_line() {
  const auto newline = origins_text_.find('\n', origins_next_);
  if (newline == std::string::npos) return std::nullopt;
  const auto begin = std::exchange(origins_next_, newline + 1);
  return behind_zeros(std::string_view(origins_text_).substr(begin, newline - begin));
}

// Until the writes up to `end` of the journal are known. Lines below a kept length have theirs.
Result<void> JournalReader::read_origins(std::uint64_t end) {
  std::string block;
  while (parser_.end() < end && !origins_over_) {
    if (const auto line = next_origins_line()) {
      origins_over_ = !parser_.take(*line, runs_);
      continue;
    }
    block.resize(origins_block);
    const auto got =
        ::pread(origins_.get(), block.data(), block.size(), static_cast<off_t>(origins_at_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(origins_path(path_), "cannot read", errno);
    if (got == 0) break;
    origins_text_.erase(0, std::exchange(origins_next_, 0));
    origins_text_.append(block, 0, static_cast<std::size_t>(got));
    origins_at_ += static_cast<std::uint64_t>(got);
  }
  return cut_first_run();
}

// A run that began before us: its lines up to here are counted off.
Result<void> JournalReader::cut_first_run() {
  if (runs_.empty() || runs_.front().begin >= begin_) return {};
  auto& run = runs_.front();
  const auto before = read_part(journal_.get(), run.begin, begin_, path_);
  if (!before) return before.error();
  run.first_seq += static_cast<std::uint64_t>(std::count(before->begin(), before->end(), '\n'));
  run.begin = begin_;
  return {};
}

OriginRun JournalReader::origin_of(std::uint64_t begin, std::uint64_t end) {
  while (run_ < runs_.size() && runs_[run_].end <= begin) {
    ++run_;
  }
  const bool is_known = run_ < runs_.size() && runs_[run_].begin <= begin;
  if (is_known && (runs_[run_].source == nullptr || !runs_[run_].source->producer.empty())) {
    auto origin = runs_[run_];
    runs_[run_].begin = end;  // what is left of it
    ++runs_[run_].first_seq;
    return origin;
  }
  OriginRun unknown;
  if (is_known) unknown.time_ms = runs_[run_].time_ms;
  unknown.source = &unknown_source();
  return unknown;
}

}  // namespace ringcast::ringlog
