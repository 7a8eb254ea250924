// SPDX-License-Identifier: Apache-2.0
//
// Outstanding: tickets published and neither confirmed nor refused. They are issued in rising
// order and mostly end in it, so both ends cost nothing and the rare other is a binary search.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

namespace ringcast {

class Outstanding {
 public:
  /// REQUIRES: greater than all before.
  void add(std::uint64_t ticket) { tickets_.push_back(ticket); }

  /// False when the ticket is not outstanding.
  bool remove(std::uint64_t ticket) {
    if (!tickets_.empty() && tickets_.front() == ticket) {
      tickets_.pop_front();
      return true;
    }
    const auto found = std::lower_bound(tickets_.begin(), tickets_.end(), ticket);
    if (found == tickets_.end() || *found != ticket) return false;
    tickets_.erase(found);
    return true;
  }

  [[nodiscard]] std::size_t size() const { return tickets_.size(); }

  /// All of them, which are then forgotten.
  std::vector<std::uint64_t> take() {
    std::vector<std::uint64_t> all(tickets_.begin(), tickets_.end());
    tickets_.clear();
    return all;
  }

 private:
  std::deque<std::uint64_t> tickets_;
};

}  // namespace ringcast
