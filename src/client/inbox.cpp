// SPDX-License-Identifier: Apache-2.0
#include "client/inbox.hpp"

#include <utility>

namespace ringcast {
namespace {

// What an event costs beside its frame's bytes.
constexpr std::size_t entry_bytes = 256;
constexpr std::size_t entries_kept = 4096;

}  // namespace

void Inbox::push(Event event, std::size_t bytes) {
  if (first_ > entries_.size() / 2 && first_ > entries_kept) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  bytes_ += bytes + entry_bytes;
  entries_.push_back(Entry{.event = std::move(event), .bytes = bytes + entry_bytes});
}

std::optional<Event> Inbox::pop() {
  if (empty()) return std::nullopt;
  auto& entry = entries_[first_++];
  bytes_ -= entry.bytes;
  std::optional<Event> event(std::move(entry.event));
  if (empty()) clear();
  return event;
}

void Inbox::clear() {
  entries_.clear();
  if (entries_.capacity() > entries_kept) entries_.shrink_to_fit();
  first_ = 0;
  bytes_ = 0;
}

}  // namespace ringcast
