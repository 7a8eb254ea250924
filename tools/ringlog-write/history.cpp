// SPDX-License-Identifier: Apache-2.0
//
// The history as a file, and the few places of it in memory.
#include "tools/ringlog-write/history.hpp"

#include <algorithm>
#include <fcntl.h>
#include <iterator>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog/sparse_lines.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t part_bytes = std::uint64_t{64} << 10U;
constexpr std::size_t part_additions = 256;
constexpr std::uint64_t mark_bytes = std::uint64_t{1} << 20U;
constexpr std::size_t block_bytes = std::size_t{64} << 10U;

FileEntry unnamed(const FilePoint& before, const FileState& state) {
  FileEntry entry;
  entry.before = before;
  entry.after = state.end;
  return entry;
}

// The entry up to a length that the file still has, and from there on.
std::optional<std::pair<FileEntry, FileEntry>> parts_of(
    const std::string& path, const FileEntry& entry, std::uint64_t length) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() || entry.after.length - entry.before.length > mark_bytes) return std::nullopt;
  const auto data = read_part(file.get(), entry.before.length, length, path);
  if (!data) return std::nullopt;
  return split_at(entry, *data, length);
}

std::optional<FileEntry> front_of(
    const std::string& path, const FileEntry& entry, std::uint64_t length) {
  auto parts = parts_of(path, entry, length);
  return parts ? std::optional(std::move(parts->first)) : std::nullopt;
}

bool follows(const FileEntry& entry, const FilePoint& here, const FilePoint& end) {
  return entry.before == here && entry.after.length >= entry.before.length &&
         entry.before.length < end.length;
}

}  // namespace

std::string history_path(const std::string& path) { return path + ".history"; }

Result<History> History::open(const std::string& path, const LoadedState& loaded) {
  struct stat status {};
  const auto name = history_path(path);
  const bool is_there = ::stat(name.c_str(), &status) == 0;
  // Read first, and cut only then: what is not ours must not be touched.
  auto file = AppendFile::open(name, is_there ? static_cast<std::uint64_t>(status.st_size) : 0);
  if (!file) return file.error();
  History history(std::move(file).value());
  std::uint64_t good = 0;
  const auto rest = load(path, loaded.state, history, good);
  if (!rest) return rest.error();
  auto cut = AppendFile::open(name, good);
  if (!cut) return cut.error();
  history.file_ = std::move(cut).value();
  if (*rest) history.append(**rest);
  for (const auto& entry : loaded.recent) {
    if (entry.before == history.end_) {
      history.append(entry);
    } else if (
        entry.before.length < history.end_.length && entry.after.length > history.end_.length) {
      const auto parts = parts_of(path, entry, history.end_.length);
      if (parts && parts->first.after == history.end_) history.append(parts->second);
    }
  }
  const auto& state = loaded.state;
  if (history.end_ != state.end) history.append(unnamed(history.end_, state));
  return history;
}

Result<std::optional<FileEntry>> History::load(
    const std::string& path, const FileState& state, History& history, std::uint64_t& good) {
  const auto& begins = state.front.begins;
  const auto& end = state.end;
  history.end_ = begins;
  std::optional<FileEntry> rest;
  auto lines = SparseLines::open(history_path(path));
  if (!lines) return lines.error();
  for (;;) {
    const auto line = lines->next();
    if (!line) return line.error();
    const auto entry = *line ? parse_entry(**line, history.end_) : std::nullopt;
    if (!entry) break;
    if (history.marks_.empty() && begins.length > 0 && entry->after.length <= begins.length) {
      good = history.stale_bytes_ = lines->line_ends();
      continue;
    }
    if (!follows(*entry, history.end_, end)) break;
    if (entry->after.length > end.length) {
      rest = front_of(path, *entry, end.length);
      break;
    }
    if (history.marks_.empty()) history.stale_bytes_ = lines->line_begins();
    history.note(*entry, lines->line_begins());
    history.end_ = entry->after;
    good = lines->line_ends();
  }
  // Another file's: of the same length, but with other lines.
  const bool is_other = history.end_.length == end.length && history.end_ != end;
  if (is_other) {
    good = history.stale_bytes_ = 0;
    history.end_ = begins;
    history.marks_.clear();
  }
  return rest;
}

void History::note(const FileEntry& entry, std::uint64_t offset) {
  if (!marks_.empty() && entry.before.length < marks_.back().before.length + mark_bytes) return;
  marks_.push_back(Mark{entry.before, offset, entry.time_ms});
}

void History::append(const FileEntry& entry) {
  const bool fits = growing_.has_value() && !entry.is_unnamed() && !growing_->is_unnamed() &&
                    growing_->after.length - growing_->before.length < part_bytes &&
                    growing_->additions.size() < part_additions &&
                    (!entry.position || !growing_->position ||
                     entry.position->configuration == growing_->position->configuration);
  if (fits) {
    extend(*growing_, entry);
  } else {
    write_growing();
    growing_ = entry;
  }
  end_ = entry.after;
}

void History::write_growing() {
  if (!growing_) return;
  note(*growing_, file_.length() + file_.buffered());
  file_.append(entry_line(*growing_));
  unflushed_.push_back(*std::exchange(growing_, std::nullopt));
}

Result<void> History::flush() {
  auto flushed = file_.flush();
  if (file_.buffered() == 0) unflushed_.clear();
  return flushed;
}

Result<void> History::settle() {
  write_growing();
  if (auto flushed = flush(); !flushed) return flushed;
  return file_.sync();
}

Result<void> History::cut(const FilePoint& end, const std::optional<FileEntry>& rest) {
  write_growing();
  if (auto flushed = flush(); !flushed) return flushed;
  const auto last = rest ? rest->before.length : end.length;
  auto good = stale_bytes_;
  const auto visited = visit_file(stale_bytes_, end_.length, [&](const auto& entry, auto offset) {
    good = offset;
    return entry.before.length < last;
  });
  if (!visited) return visited.error();
  if (*visited) good = file_.length();  // all of it is in front
  auto cut = AppendFile::open(file_.path(), good);
  if (!cut) return cut.error();
  file_ = std::move(cut).value();
  std::erase_if(marks_, [&](const Mark& mark) { return mark.offset >= good; });
  end_ = rest ? rest->before : end;
  if (rest) append(*rest);
  return settle();
}

Result<void> History::forget_front(const FilePoint& begins) {
  const auto mark = std::partition_point(marks_.begin(), marks_.end(), [&](const Mark& item) {
    return item.before.length <= begins.length;
  });
  const auto from = mark == marks_.begin() ? stale_bytes_ : std::prev(mark)->offset;
  std::optional<Mark> first;
  const auto visited = visit_file(from, end_.length, [&](const auto& entry, auto offset) {
    if (entry.before == begins) first = Mark{begins, offset, entry.time_ms};
    return entry.before.length < begins.length;
  });
  if (!visited) return visited.error();
  if (!first) return Error{Errc::corrupt, file_.path() + ": does not fit its file"};
  marks_.erase(marks_.begin(), mark);
  marks_.insert(marks_.begin(), *first);
  stale_bytes_ = first->offset;
  return {};
}

Result<void> History::begin_anew(const FilePoint& begins) {
  auto file = AppendFile::open(file_.path(), 0);
  if (!file) return file.error();
  file_ = std::move(file).value();
  marks_.clear();
  unflushed_.clear();
  growing_.reset();
  stale_bytes_ = 0;
  end_ = begins;
  return file_.sync();
}

void History::set_calls(WriteFunction write, SyncFunction sync) {
  if (write) file_.set_write_function(std::move(write));
  if (sync) file_.set_sync_function(std::move(sync));
}

// The entries of the file from `offset` on that begin before `end`, each with its own offset.
// False: visit() has enough.
template <class Visit>
Result<bool> History::visit_file(std::uint64_t offset, std::uint64_t end, Visit visit) const {
  std::string text;
  auto begin = offset;  // of the text
  while (offset < file_.length()) {
    const auto to = std::min<std::uint64_t>(offset + block_bytes, file_.length());
    auto block = read_part(file_.fd(), offset, to, file_.path());
    if (!block) return block.error();
    offset = to;
    text += *block;
    std::size_t done = 0;
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', done)) {
      const auto entry = parse_entry(std::string_view(text).substr(done, at - done), FilePoint{});
      if (!entry) return Error{Errc::corrupt, file_.path() + ": damaged"};
      if (entry->before.length >= end) return true;
      if (!visit(*entry, begin + done)) return false;
      done = at + 1;
    }
    text.erase(0, done);
    begin += done;
  }
  return true;
}

template <class Visit>
Result<void> History::visit_from(std::size_t mark, Visit visit) const {
  auto in_memory = end_.length;
  if (growing_) in_memory = growing_->before.length;
  if (!unflushed_.empty()) in_memory = unflushed_.front().before.length;
  const auto offset = mark < marks_.size() ? marks_[mark].offset : file_.length();
  const auto goes_on = visit_file(
      offset, in_memory, [&](const FileEntry& entry, std::uint64_t) { return visit(entry); });
  if (!goes_on) return goes_on.error();
  if (!*goes_on) return {};
  for (const auto& entry : unflushed_) {
    if (!visit(entry)) return {};
  }
  if (growing_) (void)visit(*growing_);
  return {};
}

Result<void> History::visit(const std::function<bool(const FileEntry&)>& visit) const {
  return visit_from(0, visit);
}

Result<std::vector<FileEntry>> History::from(std::uint64_t length, std::uint64_t bytes) const {
  const auto mark = std::partition_point(
      marks_.begin(), marks_.end(), [&](const Mark& item) { return item.before.length <= length; });
  std::vector<FileEntry> entries;
  const auto index = mark == marks_.begin() ? 0 : (mark - marks_.begin()) - 1;
  const auto visited = visit_from(static_cast<std::size_t>(index), [&](const FileEntry& entry) {
    if (entry.after.length <= length) return true;
    entries.push_back(entry);
    return entry.after.length - length < bytes;
  });
  if (!visited) return visited.error();
  return entries;
}

Result<std::vector<FilePoint>> History::points(
    std::uint64_t low, std::uint64_t high, std::size_t count) const {
  std::vector<FilePoint> points;
  for (const auto& mark : marks_) {
    if (mark.before.length > low && mark.before.length < high) points.push_back(mark.before);
  }
  if (points.size() >= count) return points;
  // Few places in memory: all there are in the file.
  points.clear();
  const auto mark = std::partition_point(
      marks_.begin(), marks_.end(), [&](const Mark& item) { return item.before.length <= low; });
  const auto index = mark == marks_.begin() ? 0 : (mark - marks_.begin()) - 1;
  const auto visited = visit_from(static_cast<std::size_t>(index), [&](const FileEntry& entry) {
    if (entry.before.length > low && entry.before.length < high) points.push_back(entry.before);
    return entry.before.length < high;
  });
  if (!visited) return visited.error();
  return points;
}

template <class Predicate>
Result<FilePoint> History::first(std::size_t mark, Predicate predicate) const {
  FilePoint found = end_;
  const auto visited = visit_from(mark == 0 ? 0 : mark - 1, [&](const FileEntry& entry) {
    if (!predicate(entry)) return true;
    found = entry.before;
    return false;
  });
  if (!visited) return visited.error();
  return found;
}

Result<FilePoint> History::at_time(std::int64_t time_ms) const {
  // Clocks may step back: the first one that is late enough, wherever it stands.
  const auto mark = std::find_if(
      marks_.begin(), marks_.end(), [&](const Mark& item) { return item.time_ms >= time_ms; });
  return first(static_cast<std::size_t>(mark - marks_.begin()), [&](const FileEntry& entry) {
    return entry.time_ms >= time_ms;
  });
}

Result<FilePoint> History::at_line(std::uint64_t number) const {
  const auto mark = std::partition_point(
      marks_.begin(), marks_.end(), [&](const Mark& item) { return item.before.lines < number; });
  return first(static_cast<std::size_t>(mark - marks_.begin()), [&](const FileEntry& entry) {
    return entry.after.lines >= number;
  });
}

Result<FilePoint> History::at_position(const Position& position) const {
  return first(0, [&](const FileEntry& entry) {
    return entry.position.has_value() && *entry.position > position;
  });
}

}  // namespace ringcast::ringlog
