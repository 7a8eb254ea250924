// SPDX-License-Identifier: Apache-2.0
//
// Publishing with a full pipe. Events are drained every so many messages, not after each:
// looking into the socket costs a system call.
#include "tools/ringcast/sender.hpp"

#include <utility>
#include <variant>

#include "tools/common/waiting.hpp"

namespace ringcast::tools {
namespace {

constexpr std::uint64_t drain_interval = 256;
// Messages in flight at most. Enough for several rotations at full speed; it bounds what the
// daemon holds for us in confirmations, which credit does not.
constexpr std::uint64_t window = 16384;

// "For ever", as a time that clocks can still calculate with.
Client::Deadline or_never(const std::optional<Client::Deadline>& deadline) {
  return deadline.value_or(Client::Clock::now() + std::chrono::hours(24 * 365));
}

}  // namespace

Result<void> Sender::send(
    const Publication& publication, std::optional<Client::Deadline> deadline) {
  while (in_flight() >= window) {
    auto event = client_.receive_until(or_never(deadline));
    if (!event) return event.error();
    if (auto taken = take(*event); !taken) return taken;
  }
  for (;;) {
    auto ticket = client_.publish(publication, or_never(deadline));
    if (ticket) break;
    if (ticket.error().code != Errc::inbox_full) return ticket.error();
    if (auto drained = drain(); !drained) return drained;
  }
  ++sent_;
  return sent_ % drain_interval == 0 ? drain() : Result<void>{};
}

Result<void> Sender::drain() {
  for (;;) {
    auto event = client_.try_receive();
    if (!event) return event.error();
    if (!event->has_value()) return {};
    if (auto taken = take(**event); !taken) return taken;
  }
}

Result<void> Sender::finish(std::optional<Client::Deadline> deadline) {
  if (auto drained = drain(); !drained) return drained;
  while (in_flight() > 0) {
    auto event = client_.receive_until(or_never(deadline));
    if (!event) return event.error();
    if (auto taken = take(*event); !taken) return taken;
  }
  return {};
}

Result<void> Sender::take(const Event& event) {
  on_event_(event);
  if (const auto* confirmation = std::get_if<Confirmation>(&event)) {
    ++confirmed_;
    if (confirmation->transitional) ++transitional_;
  } else if (const auto* refused = std::get_if<Refused>(&event)) {
    if (refused->ticket != 0) ++refused_;
  } else if (const auto* closed = std::get_if<Closed>(&event)) {
    return Error{Errc::closed, "the daemon closed the session: " + closed->reason};
  }
  return {};
}

}  // namespace ringcast::tools
