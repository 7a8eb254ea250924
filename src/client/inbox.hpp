// SPDX-License-Identifier: Apache-2.0
//
// Inbox: events received and not yet taken by the program, in order, bounded by the memory they
// take: a frame of few bytes can become an event of many. One event may exceed the bound, so
// that the largest message fits into the smallest inbox.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ringcast/client.hpp"

namespace ringcast {

class Inbox {
 public:
  explicit Inbox(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes events beyond the bound too: the caller asks full() before it reads more.
  void push(Event event);
  /// The same for a message, which `fill` writes where it is to stay.
  template <class Fill>
  void push_message(Fill fill) {
    auto& entry = add();
    fill(entry.event.emplace<Message>());
    charge(entry);
  }
  std::optional<Event> pop();
  void clear();

  [[nodiscard]] bool empty() const { return first_ == entries_.size(); }
  [[nodiscard]] bool full() const { return bytes_ >= bytes_max_; }

 private:
  struct Entry {
    Event event;
    std::size_t bytes{0};
  };

  Entry& add();
  void charge(Entry& entry);

  std::size_t bytes_max_;
  std::size_t bytes_{0};
  std::vector<Entry> entries_;  ///< those before first_ are taken
  std::size_t first_{0};
};

}  // namespace ringcast
