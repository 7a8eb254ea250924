// SPDX-License-Identifier: Apache-2.0
//
// Set arithmetic on tables, producer by producer.
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

std::vector<Range> Table::add(const Producer& producer, Range range) {
  auto& entry = entries_[producer.id];
  if (entry.name.empty()) entry.name = producer.name;
  return entry.seen.add(range);
}

void Table::merge(const Table& other) {
  for (const auto& [id, entry] : other.entries_) {
    for (const auto& range : entry.seen.ranges()) {
      (void)add(Producer{id, entry.name}, range);
    }
  }
}

Table Table::minus(const Table& other) const {
  Table rest;
  for (const auto& [id, entry] : entries_) {
    rest.add_missing(Producer{id, entry.name}, entry.seen, other);
  }
  return rest;
}

void Table::add_missing(const Producer& producer, const RangeSet& seen, const Table& other) {
  for (const auto& range : seen.ranges()) {
    for (const auto& part : other.missing_from(producer.id, range)) {
      (void)add(producer, part);
    }
  }
}

void Table::remove(const ProducerId& producer, Range range) {
  const auto it = entries_.find(producer);
  if (it == entries_.end()) return;
  it->second.seen.remove(range);
  if (it->second.seen.empty()) entries_.erase(it);
}

std::vector<Range> Table::missing_from(const ProducerId& producer, Range range) const {
  const auto it = entries_.find(producer);
  if (it == entries_.end()) return {range};
  return it->second.seen.missing_from(range);
}

std::uint64_t Table::last_of(const ProducerId& producer) const {
  const auto it = entries_.find(producer);
  return it == entries_.end() || it->second.seen.empty() ? 0 : it->second.seen.last();
}

std::uint64_t Table::count() const {
  std::uint64_t total = 0;
  for (const auto& [id, entry] : entries_) {
    total += entry.seen.count();
  }
  return total;
}

std::uint64_t Table::holes() const {
  std::uint64_t total = 0;
  for (const auto& [id, entry] : entries_) {
    if (!entry.seen.empty()) total += entry.seen.last() - entry.seen.count();
  }
  return total;
}

}  // namespace ringcast::ringlog
