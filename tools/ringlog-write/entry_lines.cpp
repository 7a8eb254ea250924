// SPDX-License-Identifier: Apache-2.0
//
// Lines and additions side by side.
#include "tools/ringlog-write/entry_lines.hpp"

#include <algorithm>

#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

std::optional<NamedLine> EntryLines::next() {
  const auto end = rest_.find('\n');
  if (!fits_ || end == std::string_view::npos) {
    fits_ = fits_ && rest_.empty();
    return std::nullopt;
  }
  NamedLine line;
  line.text = rest_.substr(0, end);
  const auto& markers = entry_.markers;
  if (marker_ < markers.size() && markers[marker_].offset == here_.length) {
    line.is_marker = true;
    fits_ = take_marker(line, markers[marker_++]);
  } else {
    fits_ = take(AddedAs::line, line);
    ++here_.lines;
  }
  if (!fits_) return std::nullopt;
  here_.length += line.text.size() + 1;
  here_.chain = chain_line(here_.chain, line.text);
  rest_.remove_prefix(end + 1);
  return line;
}

bool EntryLines::take_marker(NamedLine& line, const FileMarker& marker) {
  const auto word = marker_word(line.text);
  if (word == "gap") return take_gaps(marker.missing);
  return word == "merged" || take(AddedAs::loss, line);
}

bool EntryLines::take(AddedAs as, NamedLine& line) {
  if (entry_.is_unnamed()) return true;
  if (addition_ >= entry_.additions.size()) return false;
  const auto& addition = entry_.additions[addition_];
  if (addition.as != as) return false;
  line.addition = &addition;
  line.seq = addition.range.first + used_;
  if (++used_ == addition.range.count()) {
    ++addition_;
    used_ = 0;
  }
  return true;
}

bool EntryLines::take_gaps(std::uint64_t count) {
  while (count > 0) {
    if (addition_ >= entry_.additions.size()) return false;
    const auto& addition = entry_.additions[addition_];
    if (addition.as != AddedAs::gap || addition.range.count() > count) return false;
    count -= addition.range.count();
    ++addition_;
  }
  return true;
}

std::pair<FileEntry, FileEntry> EntryLines::split() const {
  std::pair<FileEntry, FileEntry> parts{entry_, entry_};
  auto& [front, back] = parts;
  front.after = here_;
  back.before = here_;
  front.markers.resize(marker_);
  back.markers.erase(
      back.markers.begin(), back.markers.begin() + static_cast<std::ptrdiff_t>(marker_));
  front.additions.resize(std::min(addition_ + (used_ > 0 ? 1 : 0), front.additions.size()));
  if (used_ > 0) {
    auto& last = front.additions.back().range;
    last.last = last.first + used_ - 1;
  }
  back.additions.erase(
      back.additions.begin(), back.additions.begin() + static_cast<std::ptrdiff_t>(addition_));
  if (used_ > 0) back.additions.front().range.first += used_;
  return parts;
}

std::optional<std::pair<FileEntry, FileEntry>> split_at(
    const FileEntry& entry, std::string_view data, std::uint64_t length) {
  if (length < entry.before.length || length > entry.after.length) return std::nullopt;
  data = data.substr(0, static_cast<std::size_t>(length - entry.before.length));
  EntryLines lines(entry, data);
  while (lines.next()) {
  }
  if (!lines.is_done()) return std::nullopt;
  return lines.split();
}

}  // namespace ringcast::ringlog
