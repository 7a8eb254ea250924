// SPDX-License-Identifier: Apache-2.0
//
// Store: reading back what was written.
#include <algorithm>
#include <utility>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t entry_bytes_max = std::uint64_t{64} << 20U;  // of one that is read whole

template <class T>
std::vector<T> thinned(std::vector<T> all, std::size_t count) {
  if (all.size() <= count) return all;
  std::vector<T> some;
  for (std::size_t i = 0; i < count; ++i) {
    some.push_back(all[i * all.size() / count]);
  }
  return some;
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
  if (length < begins().length) return nothing;
  if (length == begins().length) return std::optional<FilePoint>(begins());
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
  const Error no_line{Errc::invalid_argument, options_.path + ": no line ends there"};
  if (from.length < begins().length) return no_line;
  auto entries = history_->from(from.length, bytes);
  if (!entries) return entries.error();
  std::erase_if(*entries, [&](const FileEntry& entry) { return entry.before.length >= end; });
  if (entries->empty()) return part;
  const auto begin = entries->front().before.length;
  const auto last = std::min(entries->back().after.length, end);
  auto data = read_part(file_->fd(), begin, last, options_.path);
  if (!data) return data.error();
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

}  // namespace ringcast::ringlog
