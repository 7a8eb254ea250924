// SPDX-License-Identifier: Apache-2.0
//
// Spool segments: appending, reading, removing, dropping.
#include "tools/ringlog-publish/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-publish/loss_notes.hpp"
#include "tools/ringlog-publish/spool_frames.hpp"
#include "tools/ringlog-publish/spool_survey.hpp"

namespace ringcast::ringlog {

std::string Spool::path_of(std::uint64_t number) const {
  return options_.directory + "/" + spool_segment_name(number);
}

bool Spool::is_droppable(const Segment& segment) {
  return is_unread(segment) && !segment.is_dropped;
}

bool Spool::is_unread(const Segment& segment) { return segment.read == 0 && segment.records > 0; }

Result<Spool> Spool::open(Options options, std::vector<std::string>& notes) {
  if (auto made = make_directories(options.directory); !made) return made.error();
  Spool spool(std::move(options));
  const auto lock_path = spool.options_.directory + "/lock";
  spool.lock_ = Descriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!spool.lock_.is_open()) return system_error(lock_path, "cannot open", errno);
  if (::flock(spool.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Errc::invalid_argument,
        spool.options_.directory +
            ": another ringlog-publish spools there; name another directory"};
  }
  if (auto loaded = spool.load(notes); !loaded) return loaded.error();
  return spool;
}

Result<void> Spool::load(std::vector<std::string>& notes) {
  const auto numbers = spool_segments_in(options_.directory);
  if (!numbers) return numbers.error();
  for (const auto number : *numbers) {
    next_number_ = number + 1;
    if (auto checked = check_segment(number, notes); !checked) return checked;
  }
  return {};
}

Result<void> Spool::check_segment(std::uint64_t number, std::vector<std::string>& notes) {
  const auto path = path_of(number);
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.is_open()) return system_error(path, "cannot open", errno);
  const auto end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return system_error(path, "cannot seek", errno);
  const auto size = static_cast<std::uint64_t>(end);
  Segment segment;
  segment.number = number;
  auto frame = spool_frame_at(file.get(), 0, size, path);
  while (frame && frame->kind == SpoolFrame::Kind::record) {
    segment.bytes += spool_head_bytes + frame->payload.size();
    ++segment.records;
    frame = spool_frame_at(file.get(), segment.bytes, size, path);
  }
  if (!frame) return frame.error();
  const auto rest = std::to_string(size - segment.bytes);
  // A length that was damaged reaches past the end, too: only what nothing follows is torn.
  if (frame->kind == SpoolFrame::Kind::torn) {
    const auto behind = next_record(file.get(), segment.bytes + 1, size, path);
    if (!behind) return behind.error();
    if (behind->has_value()) frame->kind = SpoolFrame::Kind::damaged;
  }
  if (frame->kind == SpoolFrame::Kind::torn) {
    notes.push_back(path + ": cut off " + rest + " bytes of an unfinished record at its end");
    if (::ftruncate(file.get(), static_cast<off_t>(segment.bytes)) != 0) {
      return system_error(path, "cannot cut", errno);
    }
  } else if (frame->kind == SpoolFrame::Kind::damaged) {
    segment.is_damaged = true;
    has_lost_ = true;
    notes.push_back(
        path + ": damaged; its last " + rest +
        " bytes cannot be read and are set aside as a .damaged file; `ringlog-publish spool "
        "repair` finds what is whole in them");
  }
  add_segment(segment);
  return remove_settled();
}

void Spool::add_segment(const Segment& segment) {
  bytes_ += segment.bytes;
  unread_ += segment.records;
  segments_.push_back(segment);
}

bool Spool::has_room(std::size_t payload_bytes) const {
  return bytes_ + spool_head_bytes + payload_bytes <= options_.bytes_max;
}

Result<AppendFile> Spool::begin_segment(std::uint64_t number) {
  const auto path = path_of(number);
  auto file = AppendFile::open(path, 0);
  if (file) sync_.add(path, true);
  return file;
}

Result<void> Spool::append(std::span<const std::byte> payload) {
  if (!tail_ || segments_.empty() || segments_.back().bytes >= options_.segment_bytes) {
    auto begun = begin_segment(next_number_);
    if (!begun) return begun.error();
    tail_.emplace(std::move(begun).value());
    segments_.emplace_back().number = next_number_++;
  }
  return write(tail_, segments_.back(), payload);
}

Result<void> Spool::put_in_front(std::span<const std::byte> payload) {
  if (!front_) {
    const auto behind = segments_.empty() ? next_number_ : segments_.front().number;
    if (behind == 0) return append(payload);  // out of order, but not lost
    auto begun = begin_segment(behind - 1);
    if (!begun) return begun.error();
    front_.emplace(std::move(begun).value());
    segments_.emplace_front().number = behind - 1;
  }
  return write(front_, segments_.front(), payload);
}

Result<void> Spool::write(
    std::optional<AppendFile>& file, Segment& segment, std::span<const std::byte> payload) {
  const auto text = spool_frame(payload);
  file->append(text);
  if (auto flushed = file->flush(); !flushed) {
    // Part of it may be on disk: go back to the last whole record.
    auto again = AppendFile::open(file->path(), segment.bytes);
    if (again) {
      file.emplace(std::move(again).value());
    } else {
      file.reset();
    }
    return flushed;
  }
  segment.bytes += text.size();
  ++segment.records;
  bytes_ += text.size();
  ++unread_;
  sync_.add(file->path(), false);
  return {};
}

Result<void> Spool::sync() { return sync_.begin(); }

Result<void> Spool::sync_now() { return sync_.finish(); }

Result<SpooledRecord> Spool::read_next() {
  const auto it = std::find_if(segments_.begin(), segments_.end(), [](const Segment& segment) {
    return segment.read < segment.records;
  });
  if (it == segments_.end()) return Error{Errc::io, options_.directory + ": nothing to read"};
  if (!reading_.is_open() || reading_number_ != it->number) {
    reading_ = Descriptor(::open(path_of(it->number).c_str(), O_RDONLY | O_CLOEXEC));
    reading_number_ = it->number;
    if (!reading_.is_open()) return system_error(path_of(it->number), "cannot open", errno);
  }
  auto frame = spool_frame_at(reading_.get(), it->offset, it->bytes, path_of(it->number));
  if (!frame) return frame.error();
  if (frame->kind != SpoolFrame::Kind::record) {
    const auto lost = it->records - it->read;
    it->read = it->records;
    it->settled += lost;
    it->is_damaged = true;
    has_lost_ = true;
    unread_ -= lost;
    Error error{
        Errc::corrupt,
        path_of(it->number) + ": damaged; " + std::to_string(lost) +
            " records cannot be read and are set aside"};
    if (auto removed = remove_settled(); !removed) error.message += "; " + removed.error().message;
    return error;
  }
  it->offset += spool_head_bytes + frame->payload.size();
  ++it->read;
  --unread_;
  SpooledRecord record;
  record.segment = it->number;
  const auto bytes = std::as_bytes(std::span(frame->payload));
  record.payload.assign(bytes.begin(), bytes.end());
  return record;
}

Result<std::optional<std::uint64_t>> Spool::drop_for(std::size_t payload_bytes) {
  const auto first = std::find_if(segments_.begin(), segments_.end(), is_droppable);
  auto bytes = bytes_ + spool_head_bytes + payload_bytes;
  auto last = first;
  for (; last != segments_.end() && bytes > options_.bytes_max; ++last) {
    bytes -= last->bytes;
  }
  if (first == last || bytes > options_.bytes_max) return std::optional<std::uint64_t>();
  const auto lines = drop(first, last);
  if (!lines) return lines.error();
  return std::optional(*lines);
}

Result<std::uint64_t> Spool::drop_older_than(std::chrono::file_clock::time_point limit) {
  const auto first = std::find_if(segments_.begin(), segments_.end(), is_droppable);
  const auto last = std::find_if_not(first, segments_.end(), [&](const Segment& segment) {
    std::error_code error;
    const auto written = std::filesystem::last_write_time(path_of(segment.number), error);
    return !error && written <= limit;
  });
  return first == last ? Result<std::uint64_t>(0U) : drop(first, last);
}

Result<void> Spool::note_losses(const Segment& segment, LossNotes& notes) const {
  const auto path = path_of(segment.number);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(path, "cannot open", errno);
  for (std::uint64_t offset = 0; offset < segment.bytes;) {
    const auto frame = spool_frame_at(file.get(), offset, segment.bytes, path);
    if (!frame) return frame.error();
    if (frame->kind != SpoolFrame::Kind::record) break;  // what is behind the damage is lost too
    notes.add(std::as_bytes(std::span(frame->payload)));
    offset += spool_head_bytes + frame->payload.size();
  }
  return {};
}

// The notes replace the first segment in one step, and go on with those right before it, or a
// long time of dropping would fill the directory with notes. What a crash leaves of the other
// segments is sent at the next start, behind the notes, by which readers know it for dropped.
Result<std::uint64_t> Spool::drop(Segments::iterator first, const Segments::iterator& last) {
  while (first != segments_.begin() && is_unread(*std::prev(first))) {
    --first;
  }
  LossNotes notes;
  for (auto it = first; it != last; ++it) {
    if (auto noted = note_losses(*it, notes); !noted) return noted.error();
  }
  std::string content;
  for (const auto& record : notes.records()) {
    content += spool_frame(encode(record));
  }
  for (auto it = first; it != last; ++it) {
    std::error_code ignored;  // all that is known of it is going anyway
    const auto aside = it->is_damaged ? free_damaged_path(it->number) : std::string();
    if (it->is_damaged) std::filesystem::create_hard_link(path_of(it->number), aside, ignored);
  }
  if (auto put = options_.replace(path_of(first->number), content); !put) return put.error();
  for (auto it = first; it != last; ++it) {
    if (it != first) (void)::unlink(path_of(it->number).c_str());
    forget_open(*it);
    bytes_ -= it->bytes;
    unread_ -= it->records;
  }
  segments_.erase(std::next(first), last);
  // That may have moved them: it is the first that nothing was read of.
  auto& segment = *std::find_if(segments_.begin(), segments_.end(), is_unread);
  segment.bytes = content.size();
  segment.records = notes.records().size();
  segment.is_dropped = true;
  segment.is_damaged = false;
  bytes_ += segment.bytes;
  unread_ += segment.records;
  return notes.fresh_lines();
}

void Spool::forget_open(const Segment& segment) {
  if (&segment == &segments_.front()) front_.reset();
  if (&segment == &segments_.back()) tail_.reset();
  if (reading_number_ == segment.number) reading_.close();
}

Result<void> Spool::on_settled(std::uint64_t segment) {
  const auto it = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& item) {
    return item.number == segment;
  });
  if (it != segments_.end()) ++it->settled;
  return remove_settled();
}

// All that can go do, even when one of them cannot.
Result<void> Spool::remove_settled() {
  Result<void> result;
  for (auto it = segments_.begin(); it != segments_.end();) {
    if (it->settled < it->records) {
      ++it;
      continue;
    }
    if (it == segments_.begin()) front_.reset();
    if (std::next(it) == segments_.end()) tail_.reset();
    if (auto removed = remove_files(*it); !removed) result = removed;
    bytes_ -= it->bytes;
    it = segments_.erase(it);
  }
  return result;
}

Result<void> Spool::remove_files(const Segment& segment) {
  if (reading_number_ == segment.number) reading_.close();
  const auto path = path_of(segment.number);
  const int done = segment.is_damaged
                       ? ::rename(path.c_str(), free_damaged_path(segment.number).c_str())
                       : ::unlink(path.c_str());
  if (done != 0) return system_error(path, "cannot remove", errno);
  return {};
}

// That of another damaged segment is not taken, though it had the same number.
std::string Spool::free_damaged_path(std::uint64_t number) {
  auto path = path_of(number) + ".damaged";
  std::error_code ignored;
  while (std::filesystem::exists(path, ignored)) {
    path = path_of(next_number_++) + ".damaged";
  }
  return path;
}

}  // namespace ringcast::ringlog
