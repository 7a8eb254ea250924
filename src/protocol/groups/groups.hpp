// SPDX-License-Identifier: Apache-2.0
//
// Groups: light-weight groups on top of the order. A replicated Directory (group -> members),
// changed only by the ordered stream, decides who gets which message; a configuration change
// becomes at most one view per affected group, with cause and with the set that came along.
//
// Knows nothing of tokens or sockets: requests come in as method calls and leave as envelopes
// to submit; ordered events come in and leave as events for local sessions. Every daemon that
// handles the same ordered stream makes the same Directory and the same views.
//
// The exchange gate [GRP-5]: after a regular configuration that brings in daemons which did not
// share our state, every daemon sends its own members as exchange envelopes; until those of all
// have been delivered, gate_open() is false and the node originates nothing of its clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ringcast/result.hpp"
#include "ringcast/service.hpp"

#include "protocol/base/buffer.hpp"
#include "protocol/base/client_events.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/base/trace.hpp"

namespace ringcast {

/// An envelope for the ring. Exchange envelopes pass the gate, all others wait behind it.
struct Submission {
  BufferRef envelope;
  Service service{Service::agreed};
  bool exchange{false};
};

/// One event for some local sessions, in the order they must see it.
struct GroupDelivery {
  std::size_t first{0};  ///< of its recipients: see GroupsOutput::to()
  std::size_t count{0};
  ClientEvent event;
};

/// Cleared and used again it asks for no more memory than it has.
struct GroupsOutput {
  std::vector<Submission> submissions;
  std::vector<GroupDelivery> deliveries;
  std::vector<SessionId> recipients;  ///< of all deliveries, one after the other

  /// Never empty; each session once. Valid until something is added.
  [[nodiscard]] std::span<const SessionId> to(const GroupDelivery& delivery) const {
    return std::span{recipients}.subspan(delivery.first, delivery.count);
  }
  /// Makes recipients from `first` on those of `event`, unless there are none.
  void tell_from(std::size_t first, ClientEvent event) {
    if (first == recipients.size()) return;
    deliveries.push_back(
        {.first = first, .count = recipients.size() - first, .event = std::move(event)});
  }
  /// The same for a message, to be filled in where it stands. REQUIRES: there are recipients.
  MessageEvent& message_from(std::size_t first) {
    auto& delivery = deliveries.emplace_back();
    delivery.first = first;
    delivery.count = recipients.size() - first;
    return std::get<MessageEvent>(delivery.event);
  }
  void tell(std::span<const SessionId> to, ClientEvent event) {
    const std::size_t first = recipients.size();
    recipients.insert(recipients.end(), to.begin(), to.end());
    tell_from(first, std::move(event));
  }
  void tell(SessionId to, ClientEvent event) { tell(std::span{&to, 1}, std::move(event)); }
  void clear() {
    submissions.clear();
    deliveries.clear();
    recipients.clear();
  }
};

/// Refers to the caller's memory.
struct PublishRequest {
  std::uint64_t ticket{0};
  std::span<const std::string_view> groups;
  Service service{Service::agreed};
  std::int32_t type{0};
  bool echo{true};
  bool confirm{true};
  std::span<const std::byte> payload;
};

class Groups {
 public:
  /// `self` is known after start. `trace` may be null.
  Groups(NodeKey self, TraceSink* trace);
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;
  Groups(Groups&&) = delete;
  Groups& operator=(Groups&&) = delete;

  // Requests of local sessions, already checked by Session (names, sizes, membership).
  void open_session(SessionId session, std::string_view name, GroupsOutput& out);
  void join(SessionId session, std::string_view group, GroupsOutput& out);
  void leave(SessionId session, std::string_view group, GroupsOutput& out);
  void publish(SessionId session, const PublishRequest& request, GroupsOutput& out);
  /// The session is over: from now on nothing is delivered to it; its groups see `cause`
  /// (leave when it said goodbye, else disconnect) at one place in the order.
  void close_session(SessionId session, Cause cause, GroupsOutput& out);

  // The ordered stream. What is delivered of a message is moved out of it.
  void on_message(OrderedMessage&& message, GroupsOutput& out);
  void on_configuration(const ConfigurationChange& change, GroupsOutput& out);

  /// True when client envelopes may be originated in the current configuration.
  [[nodiscard]] bool gate_open() const;
  /// The last regular configuration whose exchange completed, for new sessions and status.
  [[nodiscard]] const ConfigurationEvent& configuration() const;

  /// Bytes of client payload this session has published that were not yet ordered.
  [[nodiscard]] std::uint64_t unordered_bytes(SessionId session) const;
  [[nodiscard]] std::size_t group_count() const;
  /// Current members, for status; empty `group`: all groups, in name order.
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<Member>>> members(
      std::string_view group) const;
  /// Malformed or impossible envelopes ignored so far (a bug or a foreign version; never fatal).
  [[nodiscard]] std::uint64_t rejected_envelopes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast
