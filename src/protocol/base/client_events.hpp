// SPDX-License-Identifier: Apache-2.0
//
// What a client is told, as plain values: Groups decides, Session encodes. Names of daemons
// are NodeIds here; a session maps them through the daemon table it was given in Welcome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ringcast/service.hpp"
#include "ringcast/view.hpp"

#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/short_list.hpp"

namespace ringcast {

/// A group member: the daemon, its client's private name, and which session of that name.
struct Member {
  NodeId node;
  std::string name;
  SessionId session;  ///< tells a reconnected client from the one before it

  auto operator<=>(const Member&) const = default;
};

/// "CONFIGURATION/N" in parts. Views of a transitional configuration name both rings. [SES-15]
struct ViewId {
  RingId configuration;
  std::optional<RingId> next;  ///< set: in the transitional configuration that leads to `next`
  std::uint64_t number{0};     ///< of the group event in that configuration, from 1

  auto operator<=>(const ViewId&) const = default;
};

/// Names refer to the bytes the event was read from: an envelope, whose block `payload` keeps, or
/// the frame it was decoded from.
struct MessageEvent {
  RingId configuration;
  Seq seq;
  std::uint32_t index{0};
  NodeId sender_node;
  std::string_view sender_name;
  ShortList<std::string_view> groups;
  Service service{Service::agreed};
  std::int32_t type{0};
  bool transitional{false};
  BufferChain payload;
};

struct ViewEvent {
  std::string group;
  ViewId id;
  Cause cause{Cause::join};
  std::vector<Member> who;
  std::vector<Member> members;
  std::vector<Member> with_me;
};

struct TransitionalEvent {
  std::string group;
};

/// Ends a leave: nothing of that group follows.
struct LeftEvent {
  std::string group;
};

struct ConfigurationEvent {
  RingId id;
  std::vector<NodeId> daemons;  ///< in ring order
};

struct ConfirmEvent {
  std::uint64_t ticket{0};  ///< as the client numbered its publish
  RingId configuration;
  Seq seq;
  std::uint32_t index{0};
  bool stable{false};
  bool transitional{false};
};

using ClientEvent = std::variant<
    MessageEvent,
    ViewEvent,
    TransitionalEvent,
    LeftEvent,
    ConfigurationEvent,
    ConfirmEvent>;

}  // namespace ringcast
