// SPDX-License-Identifier: Apache-2.0
//
// States grow by entries, entries by entries.
#include "tools/ringlog-write/file_state.hpp"

namespace ringcast::ringlog {

namespace {

void name_all(Table& table, Table& gaps, const std::vector<Addition>& additions) {
  for (const auto& addition : additions) {
    auto& named = addition.as == AddedAs::gap ? gaps : table;
    (void)named.add(addition.producer, addition.range);
  }
}

}  // namespace

void apply(FileState& state, const FileEntry& entry) {
  state.end = entry.after;
  if (entry.position) state.position = entry.position;
  name_all(state.table, state.gaps, entry.additions);
  state.markers.insert(state.markers.end(), entry.markers.begin(), entry.markers.end());
}

void release(FileFront& front, const FileEntry& entry) {
  front.begins = entry.after;
  name_all(front.table, front.gaps, entry.additions);
}

void extend(FileEntry& entry, const FileEntry& next) {
  entry.after = next.after;
  if (next.position) entry.position = next.position;
  if (entry.time_ms == 0) entry.time_ms = next.time_ms;
  for (const auto& addition : next.additions) {
    add(entry.additions, addition);
  }
  entry.markers.insert(entry.markers.end(), next.markers.begin(), next.markers.end());
}

void add(std::vector<Addition>& additions, const Addition& next) {
  auto* const last = additions.empty() ? nullptr : &additions.back();
  // A gap marker is told from the next one by where its numbers end.
  const bool goes_on = last != nullptr && next.as != AddedAs::gap && last->as == next.as &&
                       last->producer.id == next.producer.id && last->daemon == next.daemon &&
                       last->range.last + 1 == next.range.first;
  if (goes_on) {
    last->range.last = next.range.last;
  } else {
    additions.push_back(next);
  }
}

}  // namespace ringcast::ringlog
