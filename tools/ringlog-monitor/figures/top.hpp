// SPDX-License-Identifier: Apache-2.0
//
// Top: which keys come most often, with a fixed number of counters. Exact while there are no
// more keys than counters; from then on Space-Saving: a new key takes the place of the rarest
// one and inherits its count as its possible error. Then for N requests and M counters
//   - a count is never too low, and too high by at most its `error`, which is at most N/M;
//   - every key that came more than N/M times is in the table.
// Source: A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k
// Elements in Data Streams", ICDT 2005, LNCS 3363, pages 398-412; the order is kept as in its
// Stream-Summary, so that an addition costs the same whatever the number of counters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringcast::monitor {

class Top {
 public:
  /// Longer keys are cut there, and then end in "...": keys that differ behind it are counted
  /// as one.
  static constexpr std::size_t key_bytes_max = 512;

  struct Entry {
    std::string key;
    std::uint64_t count{0};
    std::uint64_t error{0};  ///< how much of the count may belong to other keys
    std::uint64_t bytes{0};  ///< sent since the key has its counter
  };

  /// REQUIRES: counters > 0.
  explicit Top(std::size_t counters);
  Top(Top&&) = default;
  Top& operator=(Top&&) = default;
  Top(const Top&) = delete;
  Top& operator=(const Top&) = delete;
  ~Top() = default;

  void add(std::string_view key, std::uint64_t bytes);

  /// The most frequent ones, the first one first.
  [[nodiscard]] std::vector<Entry> first(std::size_t count) const;
  /// All keys have a counter of their own: counts are exact and no key is missing.
  [[nodiscard]] bool is_exact() const { return evictions_ == 0; }
  /// Keys with a counter.
  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    Entry entry;
    std::size_t rank{0};   // its place in order_
    std::size_t level{0};  // its place in levels_
  };
  // The keys of one count stand together in order_, from `begin` on.
  struct Level {
    std::uint64_t count{0};
    std::size_t begin{0};
  };

  std::size_t take_slot(std::string_view key);
  void raise(std::size_t slot);
  std::size_t new_level(Level level);
  [[nodiscard]] bool begins_level(std::size_t rank, std::size_t level) const;

  std::size_t counters_;
  std::uint64_t evictions_{0};
  std::vector<Slot> slots_;         // never moved: index_ looks into their keys
  std::vector<std::size_t> order_;  // slots by falling count
  std::vector<Level> levels_;
  std::vector<std::size_t> free_levels_;
  std::unordered_map<std::string_view, std::size_t> index_;  // key to slot
  std::string cut_;
};

}  // namespace ringcast::monitor
