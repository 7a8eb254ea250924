// SPDX-License-Identifier: Apache-2.0
//
// Space-Saving. A count rises by one at a time, so a key only ever moves to the front of those
// with its count, and from there into the level before it.
#include "tools/ringlog-monitor/figures/top.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::monitor {

Top::Top(std::size_t counters) : counters_(counters) { slots_.reserve(counters); }

void Top::add(std::string_view key, std::uint64_t bytes) {
  if (key.size() > key_bytes_max) {
    constexpr std::string_view mark = "...";
    cut_ = key.substr(0, key_bytes_max - mark.size());
    cut_ += mark;
    key = cut_;
  }
  const auto found = index_.find(key);
  const auto slot = found == index_.end() ? take_slot(key) : found->second;
  raise(slot);
  slots_[slot].entry.bytes += bytes;
}

// A slot for a new key, with the count it starts from.
std::size_t Top::take_slot(std::string_view key) {
  std::size_t slot = slots_.size();
  if (slot < counters_) {
    slots_.push_back(Slot{Entry{std::string(key), 0, 0, 0}, slot, new_level(Level{0, slot})});
    order_.push_back(slot);
  } else {
    ++evictions_;
    slot = order_.back();
    auto& entry = slots_[slot].entry;
    index_.erase(entry.key);
    entry.key = key;
    entry.error = entry.count;
    entry.bytes = 0;
  }
  index_.emplace(slots_[slot].entry.key, slot);
  return slot;
}

void Top::raise(std::size_t slot) {
  const auto level = slots_[slot].level;
  const auto front = levels_[level].begin;
  const auto other = order_[front];
  std::swap(order_[front], order_[slots_[slot].rank]);
  std::swap(slots_[other].rank, slots_[slot].rank);
  const auto count = ++slots_[slot].entry.count;
  ++levels_[level].begin;
  if (!begins_level(front + 1, level)) free_levels_.push_back(level);
  const bool joins = front > 0 && levels_[slots_[order_[front - 1]].level].count == count;
  slots_[slot].level = joins ? slots_[order_[front - 1]].level : new_level(Level{count, front});
}

bool Top::begins_level(std::size_t rank, std::size_t level) const {
  return rank < order_.size() && slots_[order_[rank]].level == level;
}

std::size_t Top::new_level(Level level) {
  if (free_levels_.empty()) {
    levels_.push_back(level);
    return levels_.size() - 1;
  }
  const auto place = free_levels_.back();
  free_levels_.pop_back();
  levels_[place] = level;
  return place;
}

std::vector<Top::Entry> Top::first(std::size_t count) const {
  std::vector<Entry> entries;
  for (std::size_t rank = 0; rank < std::min(count, order_.size()); ++rank) {
    entries.push_back(slots_[order_[rank]].entry);
  }
  return entries;
}

}  // namespace ringcast::monitor
