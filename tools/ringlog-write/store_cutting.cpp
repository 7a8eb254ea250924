// SPDX-License-Identifier: Apache-2.0
//
// Store: taking out of the file what does not belong there; it goes to pending files, by name.
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

constexpr std::uint64_t tail_part_bytes = std::uint64_t{1} << 20U;
constexpr std::size_t pending_lines_max = 1000;
constexpr std::size_t pending_bytes_max = std::size_t{256} << 10U;

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

// What an entry holds that is to be kept, as records: all but what `known` names.
std::vector<PendingRecord> records_of(
    const FileEntry& entry, std::string_view data, const Table& known) {
  std::vector<PendingRecord> records;
  TailRecords tail(entry.position.value_or(Position{{0, "none", 0}, 0, 0}), records);
  EntryLines all(entry, data);
  while (const auto line = all.next()) {
    if (line->addition == nullptr) continue;
    const auto& id = line->addition->producer.id;
    if (known.missing_from(id, Range{line->seq, line->seq}).empty()) continue;
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

}  // namespace

std::uint64_t Store::set_aside(std::vector<PendingRecord> records) {
  std::uint64_t lines = 0;
  for (auto& record : records) {
    lines += record.lines;
    pending_bytes_ += record.text.size();
    pending_.push_back(std::move(record));
  }
  return lines;
}

Result<std::uint64_t> Store::set_tail_aside(
    const FilePoint& point, const Table& known, FileState& state) {
  std::uint64_t lines = 0;
  auto here = point;
  while (here.length < written_.end.length) {
    const auto part = read(here, tail_part_bytes, 0);
    if (!part) return part.error();
    for (const auto& entry : part->entries) {
      if (entry.is_unnamed() && known.empty()) return no_names(options_.path, point);
      if (entry.is_unnamed()) tell_left_behind(entry);
      const auto at = static_cast<std::size_t>(entry.before.length - here.length);
      const auto size = static_cast<std::size_t>(entry.after.length - entry.before.length);
      lines += set_aside(records_of(entry, std::string_view(part->data).substr(at, size), known));
      take_out(state, entry.additions);
    }
    here = part->entries.back().after;
    if (auto settled = settle_pending(); !settled) return settled.error();
  }
  return lines;
}

void Store::tell_left_behind(const FileEntry& entry) const {
  options_.tell(
      options_.path + ": " + std::to_string(entry.after.lines - entry.before.lines) +
      " lines up to byte " + std::to_string(entry.after.length) +
      " have no names, as those of an adopted file; they cannot be offered to the other writers");
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
  if (point.length < begins().length) {
    return Error{
        Errc::corrupt,
        options_.path + ": what stands in front of byte " + std::to_string(begins().length) +
            " is not kept, and was to be cut"};
  }
  if (point.length > begins().length) {
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
  auto lines = set_tail_aside(point, Table{}, state);
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
