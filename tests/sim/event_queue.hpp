// SPDX-License-Identifier: Apache-2.0
//
// EventQueue: what is to happen when, ordered by (time, order of scheduling). A heap of small
// keys; the actions stay where they are in a table whose places are used again. A wake-up of a
// host, which is most of what happens, is a key alone and allocates nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "protocol/base/assert.hpp"
#include "protocol/base/time.hpp"

namespace ringcast::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  /// Either an action, or the wake-up of a host.
  struct Event {
    Action action;
    std::size_t host{0};
    std::uint64_t generation{0};  ///< as given to push_wake
  };

  void push(Instant when, Action action) {
    std::size_t place = actions_.size();
    if (free_.empty()) {
      actions_.push_back(std::move(action));
    } else {
      place = free_.back();
      free_.pop_back();
      actions_[place] = std::move(action);
    }
    add({.when = when, .order = order_++, .place = place, .generation = 0});
  }

  /// REQUIRES: generation > 0.
  void push_wake(Instant when, std::size_t host, std::uint64_t generation) {
    RC_ASSERT(generation > 0);
    add({.when = when, .order = order_++, .place = host, .generation = generation});
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// REQUIRES: !empty().
  [[nodiscard]] Instant next_time() const { return heap_.front().when; }
  /// REQUIRES: !empty().
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Key key = heap_.back();
    heap_.pop_back();
    if (key.generation > 0) return {.action = {}, .host = key.place, .generation = key.generation};
    free_.push_back(key.place);
    return {.action = std::exchange(actions_[key.place], nullptr), .host = 0, .generation = 0};
  }

 private:
  struct Key {
    Instant when;
    std::uint64_t order{0};
    std::size_t place{0};         ///< of the action, or the host to wake
    std::uint64_t generation{0};  ///< 0: an action
  };
  struct Later {
    bool operator()(const Key& a, const Key& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  void add(const Key& key) {
    heap_.push_back(key);
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }

  std::vector<Key> heap_;
  std::vector<Action> actions_;
  std::vector<std::size_t> free_;
  std::uint64_t order_{0};
};

}  // namespace ringcast::sim
