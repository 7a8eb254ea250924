// SPDX-License-Identifier: Apache-2.0
//
// Table: which lines a file has, as one RangeSet per producer. Exactly-once writing, gaps and
// the reconciliation of two writers are all set arithmetic on tables.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/ringlog/producer.hpp"
#include "tools/ringlog/range_set.hpp"

namespace ringcast::ringlog {

class Table {
 public:
  struct Entry {
    std::string name;  ///< the producer's, as first heard
    RangeSet seen;

    /// Names are for people: another one makes no other lines.
    bool operator==(const Entry& other) const { return seen == other.seen; }
  };

  /// Adds lines; returns the parts that are new.
  std::vector<Range> add(const Producer& producer, Range range);
  void merge(const Table& other);
  void remove(const ProducerId& producer, Range range);
  /// What `this` has and `other` has not.
  [[nodiscard]] Table minus(const Table& other) const;

  /// The parts of `range` that are not in the table.
  [[nodiscard]] std::vector<Range> missing_from(const ProducerId& producer, Range range) const;
  /// The highest sequence number of the producer, or 0.
  [[nodiscard]] std::uint64_t last_of(const ProducerId& producer) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::uint64_t count() const;
  /// Sequence numbers that are missing below the last one of their producer.
  [[nodiscard]] std::uint64_t holes() const;
  [[nodiscard]] const std::map<ProducerId, Entry>& entries() const { return entries_; }

  bool operator==(const Table&) const = default;

 private:
  // Those of `seen` that `other` has not.
  void add_missing(const Producer& producer, const RangeSet& seen, const Table& other);

  std::map<ProducerId, Entry> entries_;
};

}  // namespace ringcast::ringlog
