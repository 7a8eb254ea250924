// SPDX-License-Identifier: Apache-2.0
//
// Spool segments: NUMBER.spool files of (u32 length, u64 XXH3, payload).
#include "tools/ringlog-publish/spool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>
#include <utility>
#include <xxhash.h>

#include "tools/ringlog/bytes.hpp"
#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t head_bytes = 12;
constexpr std::size_t payload_bytes_max = line_bytes_max + record_overhead_bytes_max + 4096;
constexpr std::string_view ending = ".spool";

std::string frame(std::span<const std::byte> payload) {
  PayloadWriter out;
  out.number(static_cast<std::uint32_t>(payload.size()));
  out.number(static_cast<std::uint64_t>(XXH3_64bits(payload.data(), payload.size())));
  const auto head = out.take();
  std::string text(reinterpret_cast<const char*>(head.data()), head.size());
  text.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  return text;
}

// What stands at one place of a segment. Torn: it reaches past the end of the file, as after a
// kill in the middle of an append.
struct Frame {
  enum class Kind { record, end, torn, damaged };
  Kind kind{Kind::end};
  std::string payload{};
};

// Errors: io.
Result<Frame> frame_at(int fd, std::uint64_t offset, std::uint64_t size, const std::string& path) {
  if (offset >= size) return Frame{Frame::Kind::end};
  if (offset + head_bytes > size) return Frame{Frame::Kind::torn};
  const auto head = read_part(fd, offset, offset + head_bytes, path);
  if (!head) return head.error();
  PayloadReader in(std::as_bytes(std::span(*head)));
  const auto length = in.number<std::uint32_t>();
  const auto checksum = in.number<std::uint64_t>();
  if (length > payload_bytes_max) return Frame{Frame::Kind::damaged};
  if (offset + head_bytes + length > size) return Frame{Frame::Kind::torn};
  auto payload = read_part(fd, offset + head_bytes, offset + head_bytes + length, path);
  if (!payload) return payload.error();
  const bool fits = XXH3_64bits(payload->data(), payload->size()) == checksum;
  if (!fits) return Frame{Frame::Kind::damaged};
  return Frame{Frame::Kind::record, std::move(payload).value()};
}

std::optional<std::uint64_t> segment_number(const std::string& name) {
  const std::string_view text(name);
  if (!text.ends_with(ending)) return std::nullopt;
  const auto digits = text.substr(0, text.size() - ending.size());
  std::uint64_t number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (result.ec != std::errc{} || result.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string Spool::path_of(std::uint64_t number) const {
  std::array<char, 32> name{};
  (void)std::snprintf(
      name.data(), name.size(), "%016llu.spool", static_cast<unsigned long long>(number));
  return options_.directory + "/" + name.data();
}

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
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(options_.directory, error)) {
    if (const auto number = segment_number(item.path().filename().string())) {
      numbers.push_back(*number);
    }
  }
  if (error) return system_error(options_.directory, "cannot list", error.value());
  std::sort(numbers.begin(), numbers.end());
  for (const auto number : numbers) {
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
  auto frame = frame_at(file.get(), 0, size, path);
  while (frame && frame->kind == Frame::Kind::record) {
    segment.bytes += head_bytes + frame->payload.size();
    ++segment.records;
    frame = frame_at(file.get(), segment.bytes, size, path);
  }
  if (!frame) return frame.error();
  const auto rest = std::to_string(size - segment.bytes);
  if (frame->kind == Frame::Kind::torn) {
    notes.push_back(path + ": cut off " + rest + " bytes of an unfinished record at its end");
    if (::ftruncate(file.get(), static_cast<off_t>(segment.bytes)) != 0) {
      return system_error(path, "cannot cut", errno);
    }
  } else if (frame->kind == Frame::Kind::damaged) {
    segment.is_damaged = true;
    has_lost_ = true;
    notes.push_back(
        path + ": damaged; its last " + rest + " bytes cannot be read and are set aside as " +
        path + ".damaged");
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
  return bytes_ + head_bytes + payload_bytes <= options_.bytes_max;
}

Result<AppendFile> Spool::begin_segment(std::uint64_t number) {
  if (auto synced = sync(); !synced) return synced.error();
  const auto path = path_of(number);
  auto file = AppendFile::open(path, 0);
  if (!file) return file;
  if (auto named = sync_directory_of(path); !named) return named.error();
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
  const auto text = frame(payload);
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
  dirty_ = true;
  return {};
}

Result<void> Spool::sync() {
  if (!dirty_) return {};
  for (auto* const file : {&front_, &tail_}) {
    if (!file->has_value()) continue;
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  dirty_ = false;
  return {};
}

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
  auto frame = frame_at(reading_.get(), it->offset, it->bytes, path_of(it->number));
  if (!frame) return frame.error();
  if (frame->kind != Frame::Kind::record) {
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
  it->offset += head_bytes + frame->payload.size();
  ++it->read;
  --unread_;
  SpooledRecord record;
  record.segment = it->number;
  const auto bytes = std::as_bytes(std::span(frame->payload));
  record.payload.assign(bytes.begin(), bytes.end());
  return record;
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
  const auto aside = path + ".damaged";
  const int done =
      segment.is_damaged ? ::rename(path.c_str(), aside.c_str()) : ::unlink(path.c_str());
  if (done != 0) return system_error(path, "cannot remove", errno);
  return {};
}

}  // namespace ringcast::ringlog
