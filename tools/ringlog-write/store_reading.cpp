// SPDX-License-Identifier: Apache-2.0
//
// Store: reading back what was written, and taking out of the file what does not belong there.
#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t entry_bytes_max = std::uint64_t{64} << 20U;  // of one that is read whole
constexpr std::uint64_t tail_part_bytes = std::uint64_t{1} << 20U;
constexpr std::size_t pending_lines_max = 1000;
constexpr std::size_t pending_bytes_max = std::size_t{256} << 10U;

template <class T>
std::vector<T> thinned(std::vector<T> all, std::size_t count) {
  if (all.size() <= count) return all;
  std::vector<T> some;
  for (std::size_t i = 0; i < count; ++i) {
    some.push_back(all[i * all.size() / count]);
  }
  return some;
}

// Lines of a cut tail as records, as many as are numbered one after the other in each.
class TailRecords {
 public:
  TailRecords(Position position, std::vector<PendingRecord>& out)
      : position_(std::move(position)), out_(out) {}

  void add(const NamedLine& line) {
    const bool goes_on =
        record_.first_seq != 0 && record_.producer.id == line.addition->producer.id &&
        daemon_ == line.addition->daemon && record_.first_seq + lines_.lines.size() == line.seq &&
        lines_.lines.size() < pending_lines_max && bytes_ < pending_bytes_max;
    if (!goes_on) flush();
    if (record_.first_seq == 0) {
      record_.producer = line.addition->producer;
      daemon_ = line.addition->daemon;
      record_.first_seq = line.seq;
    }
    bytes_ += line.text.size();
    lines_.lines.emplace_back(line.text);
  }
  void add_loss(std::string_view marker) {
    flush();
    if (const auto record = parse_loss_marker(marker)) {
      out_.push_back(pending_record(*record, position_, "diverged"));
    }
  }
  void flush() {
    if (record_.first_seq == 0) return;
    record_.body = std::exchange(lines_, Lines{});
    out_.push_back(pending_record(record_, position_, "diverged", daemon_));
    record_ = Record{};
    bytes_ = 0;
  }

 private:
  Position position_;
  std::vector<PendingRecord>& out_;
  Record record_;
  std::string daemon_;
  Lines lines_;
  std::size_t bytes_{0};
};

// What an entry of a cut tail holds, as records to keep.
std::vector<PendingRecord> records_of(const FileEntry& entry, std::string_view data) {
  std::vector<PendingRecord> records;
  TailRecords tail(entry.position.value_or(Position{{0, "none", 0}, 0, 0}), records);
  EntryLines all(entry, data);
  while (const auto line = all.next()) {
    if (line->addition == nullptr) continue;
    if (line->is_marker) {
      tail.add_loss(line->text);
    } else {
      tail.add(*line);
    }
  }
  tail.flush();
  return records;
}

void take_out(FileState& state, const std::vector<Addition>& additions) {
  for (const auto& addition : additions) {
    auto& table = addition.as == AddedAs::gap ? state.gaps : state.table;
    table.remove(addition.producer.id, addition.range);
  }
}

Error no_names(const std::string& path, const FilePoint& point) {
  return Error{
      Errc::corrupt,
      path + ": the other writers' files go on otherwise behind byte " +
          std::to_string(point.length) +
          ", and nothing tells the names of the lines there; move it and its .position and "
          ".history away and start again"};
}

// To at most so many bytes, but one line.
void shorten(Store::Part& part, std::uint64_t bytes) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < part.entries.size() && part.data.size() > bytes; ++i) {
    const auto& entry = part.entries[i];
    const auto size = static_cast<std::size_t>(entry.after.length - entry.before.length);
    if (done + size <= bytes) {
      done += size;
      continue;
    }
    EntryLines lines(entry, std::string_view(part.data).substr(done, size));
    auto parts = lines.split();
    while (const auto line = lines.next()) {
      const auto end = done + static_cast<std::size_t>(lines.here().length - entry.before.length);
      if (end > bytes && (done > 0 || parts.first.after != entry.before)) break;
      parts = lines.split();
      if (end > bytes) break;
    }
    const bool is_empty = parts.first.after == entry.before;
    done += static_cast<std::size_t>(parts.first.after.length - entry.before.length);
    if (!is_empty) part.entries[i] = std::move(parts.first);
    part.entries.resize(is_empty ? i : i + 1);
    part.data.resize(done);
  }
}

}  // namespace

Result<std::optional<FilePoint>> Store::point_at(std::uint64_t length) const {
  const std::optional<FilePoint> nothing;
  if (length == 0) return std::optional<FilePoint>(FilePoint{});
  if (length == written_.end.length) return std::optional<FilePoint>(written_.end);
  if (length > written_.end.length) return nothing;
  const auto entries = history_->from(length - 1, 1);
  if (!entries) return entries.error();
  if (entries->empty()) return nothing;
  const auto& entry = entries->front();
  if (length == entry.after.length) return std::optional<FilePoint>(entry.after);
  if (entry.after.length - entry.before.length > entry_bytes_max) return nothing;
  const auto data = read_part(file_->fd(), entry.before.length, length, options_.path);
  if (!data) return data.error();
  const auto parts = split_at(entry, *data, length);
  return parts ? std::optional<FilePoint>(parts->first.after) : nothing;
}

Result<std::vector<FilePoint>> Store::points_between(
    std::uint64_t low, std::uint64_t high, std::size_t count) const {
  std::vector<FilePoint> points;
  const auto entries = history_->points(low, high, count);
  if (!entries) return entries.error();
  if (!entries->empty()) return thinned(*entries, count);
  // Inside one entry: the ends of its lines.
  const auto inside = history_->from(low, 1);
  if (!inside) return inside.error();
  if (inside->empty()) return points;
  const auto& entry = inside->front();
  const auto end = std::min(entry.after.length, written_.end.length);
  if (end - entry.before.length > entry_bytes_max) return points;
  const auto data = read_part(file_->fd(), entry.before.length, end, options_.path);
  if (!data) return data.error();
  EntryLines lines(entry, *data);
  auto here = entry.before;
  while (lines.next()) {
    here = lines.here();
    if (here.length > low && here.length < high) points.push_back(here);
  }
  return thinned(std::move(points), count);
}

Result<Store::Part> Store::read(
    const FilePoint& from, std::uint64_t bytes, std::uint64_t until) const {
  Part part;
  const auto end = until == 0 ? written_.end.length : std::min(until, written_.end.length);
  if (from.length >= end) return part;
  auto entries = history_->from(from.length, bytes);
  if (!entries) return entries.error();
  std::erase_if(*entries, [&](const FileEntry& entry) { return entry.before.length >= end; });
  if (entries->empty()) return part;
  const auto begin = entries->front().before.length;
  const auto last = std::min(entries->back().after.length, end);
  auto data = read_part(file_->fd(), begin, last, options_.path);
  if (!data) return data.error();
  const Error no_line{Errc::invalid_argument, options_.path + ": no line ends there"};
  auto& back = entries->back();
  if (last < back.after.length) {
    const auto at = static_cast<std::size_t>(back.before.length - begin);
    auto parts = split_at(back, std::string_view(*data).substr(at), last);
    if (!parts) return no_line;
    back = std::move(parts->first);
  }
  auto& front = entries->front();
  if (begin < from.length) {
    auto parts = split_at(front, *data, from.length);
    if (!parts) return no_line;
    front = std::move(parts->second);
    data->erase(0, static_cast<std::size_t>(from.length - begin));
  }
  if (front.before != from) return no_line;
  part.entries = std::move(entries).value();
  part.data = std::move(data).value();
  shorten(part, bytes);
  return part;
}

std::uint64_t Store::set_aside(std::vector<PendingRecord> records) {
  std::uint64_t lines = 0;
  for (auto& record : records) {
    lines += record.lines;
    pending_bytes_ += record.text.size();
    pending_.push_back(std::move(record));
  }
  return lines;
}

Result<std::uint64_t> Store::set_tail_aside(const FilePoint& point, FileState& state) {
  std::uint64_t lines = 0;
  auto here = point;
  while (here.length < written_.end.length) {
    const auto part = read(here, tail_part_bytes, 0);
    if (!part) return part.error();
    for (const auto& entry : part->entries) {
      if (entry.is_unnamed()) return no_names(options_.path, point);
      const auto at = static_cast<std::size_t>(entry.before.length - here.length);
      const auto size = static_cast<std::size_t>(entry.after.length - entry.before.length);
      lines += set_aside(records_of(entry, std::string_view(part->data).substr(at, size)));
      take_out(state, entry.additions);
    }
    here = part->entries.back().after;
    if (auto settled = settle_pending(); !settled) return settled.error();
  }
  return lines;
}

Result<void> Store::settle_pending() {
  if (auto written = write_pending(); !written) return written;
  for (auto& [path, file] : pending_files_) {
    if (auto synced = file.sync(); !synced) return synced;
  }
  if (!new_names_) return {};
  new_names_ = false;
  return options_.calls.sync_directory(options_.path);
}

// The pending files first, the sidecar next: from then on a start cuts the rest by itself.
Result<std::uint64_t> Store::cut(const FilePoint& point, Instant now) {
  FileState state = written_;
  std::optional<FileEntry> rest;
  if (point.length > 0) {
    const auto entries = history_->from(point.length - 1, 1);
    if (!entries) return entries.error();
    if (!entries->empty()) rest = entries->front();
  }
  if (rest) {
    const auto data = read_part(file_->fd(), rest->before.length, point.length, options_.path);
    if (!data) return data.error();
    auto parts = split_at(*rest, *data, point.length);
    if (!parts) return Error{Errc::corrupt, options_.path + ": its history does not fit it"};
    rest = std::move(parts->first);
  }
  auto lines = set_tail_aside(point, state);
  if (!lines) return lines;
  if (options_.observer != nullptr) {
    if (auto told = options_.observer->on_cut(point.length); !told) return told.error();
  }
  state.end = point;
  state.position = rest ? rest->position : std::nullopt;
  std::erase_if(
      state.markers, [&](const FileMarker& marker) { return marker.offset >= point.length; });
  if (auto saved = sidecar_->snapshot(state); !saved) return saved.error();
  auto file = AppendFile::open(options_.path, point.length);
  if (!file) return file.error();
  file_.emplace(std::move(file).value());
  use_calls(*file_);
  if (auto cut = history_->cut(point, rest); !cut) return cut.error();
  history_->set_calls(options_.calls.write, options_.calls.sync);
  written_ = std::move(state);
  planned_ = written_.end;
  lines_before_ = std::min(lines_before_, planned_.lines);
  dirty_ = true;
  next_sync_ = std::min(next_sync_, now + options_.sync_interval);
  return lines;
}

Result<void> Store::remove_segment(const ConfigurationId& configuration) {
  const auto path = segment_path(options_.path, configuration);
  pending_files_.erase(path);
  known_pending_.erase(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error(path, "cannot remove", errno);
  }
  return {};
}

}  // namespace ringcast::ringlog
