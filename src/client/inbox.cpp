// SPDX-License-Identifier: Apache-2.0
#include "client/inbox.hpp"

#include <string>
#include <utility>
#include <variant>

namespace ringcast {
namespace {

constexpr std::size_t entries_kept = 4096;

/// What an event takes beside the Event itself, about.
struct Cost {
  static std::size_t of(const std::string& text) { return sizeof(std::string) + text.size(); }
  static std::size_t of(const MemberName& name) { return of(name.session) + of(name.daemon); }
  template <class T>
  static std::size_t of(const std::vector<T>& all) {
    std::size_t sum = 0;
    for (const auto& one : all) {
      sum += of(one);
    }
    return sum;
  }

  std::size_t operator()(const Message& message) const {
    return message.payload.size() + of(message.groups);
  }
  std::size_t operator()(const View& view) const {
    return of(view.who) + of(view.members) + of(view.with_me);
  }
  std::size_t operator()(const Configuration& configuration) const {
    return of(configuration.daemons) + of(configuration.configured);
  }
  std::size_t operator()(const Reconnected& reconnected) const {
    return of(reconnected.groups) + reconnected.unconfirmed.size() * sizeof(std::uint64_t);
  }
  std::size_t operator()(const Refused& refused) const {
    return refused.group.size() + refused.error.message.size();
  }
  std::size_t operator()(const Closed& closed) const { return closed.reason.size(); }
  std::size_t operator()(const Transitional& /*short*/) const { return 0; }
  std::size_t operator()(const Left& /*short*/) const { return 0; }
  std::size_t operator()(const Confirmation& /*short*/) const { return 0; }
};

}  // namespace

void Inbox::push(Event event) {
  auto& entry = add();
  entry.event = std::move(event);
  charge(entry);
}

Inbox::Entry& Inbox::add() {
  if (first_ > entries_.size() / 2 && first_ > entries_kept) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return entries_.emplace_back();
}

void Inbox::charge(Entry& entry) {
  entry.bytes = sizeof(Entry) + std::visit(Cost{}, entry.event);
  bytes_ += entry.bytes;
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
