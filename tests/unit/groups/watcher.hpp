// SPDX-License-Identifier: Apache-2.0
//
// Watcher: holds what clients see against the group guarantees while it happens, and across
// clients at the end. Knows only events: no directory, no ring, no exchange.
//
// Checked: views agree (G1), sorted and with oneself (G2), each cause does what it says (G3),
// first and last event of a member (G4), one transitional signal per network view (G6), who
// came along agrees with what was delivered (G7), no ghosts (G9), ids grow (G16), and messages and
// views belong to the configuration announced last.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/client_events.hpp"

namespace ringcast::test {

using Position = std::tuple<RingId, Seq, std::uint32_t>;

/// One client's stay in one group.
struct Stay {
  std::optional<ViewEvent> view;   ///< the last one; nothing: not a member
  int signals{0};                  ///< since the last network view, or the join
  std::vector<Position> messages;  ///< since the last view
};

struct Client {
  Member self;
  bool open{true};
  std::optional<ConfigurationEvent> configuration;
  std::map<std::string, Stay> stays;
  std::optional<Position> last_position;
  std::optional<ViewId> last_view_id;
  std::vector<std::uint64_t> confirmed;
  std::vector<ClientEvent> events;

  [[nodiscard]] bool is_member(const std::string& group) const {
    const auto at = stays.find(group);
    return at != stays.end() && at->second.view.has_value();
  }
  [[nodiscard]] std::vector<ViewEvent> views() const {
    std::vector<ViewEvent> result;
    for (const auto& event : events) {
      if (const auto* view = std::get_if<ViewEvent>(&event)) result.push_back(*view);
    }
    return result;
  }
  /// "config", "join", "network", "signal", "left", the payload of a message, ...
  [[nodiscard]] std::vector<std::string> story() const;
};

class Watcher {
 public:
  void event(Client& client, const ClientEvent& event) {
    REQUIRE(client.open);
    client.events.push_back(event);
    std::visit([&](const auto& value) { see(client, value); }, event);
  }

  /// What needs every client's tale.
  void finish() const {
    for (const auto& [id, arrivals] : arrivals_) {
      for (const auto& mine : arrivals) {
        for (const auto& other : arrivals) {
          compare(mine, other);
        }
      }
    }
  }

 private:
  struct Shared {
    std::string group;
    Cause cause{Cause::join};
    std::vector<Member> who;
    std::vector<Member> members;
    bool operator==(const Shared&) const = default;
  };
  /// How a client came to a view.
  struct Arrival {
    Member self;
    bool joined{false};
    std::vector<Member> with_me;
    std::optional<ViewId> from;
    std::vector<Position> messages;
  };

  static void compare(const Arrival& mine, const Arrival& other) {
    if (mine.joined || other.joined) return;
    const auto& theirs = other.with_me;
    const auto& ours = mine.with_me;
    const bool together = std::find(theirs.begin(), theirs.end(), mine.self) != theirs.end();
    CHECK(together == (std::find(ours.begin(), ours.end(), other.self) != ours.end()));
    if (!together) return;
    CHECK(ours == theirs);
    CHECK(mine.from == other.from);
    CHECK(mine.messages == other.messages);
  }

  static std::vector<Member> without(std::vector<Member> members, const Member& who) {
    std::erase(members, who);
    return members;
  }

  void see(Client& client, const ConfigurationEvent& event) {
    if (client.configuration) CHECK(client.configuration->id < event.id);
    CHECK(std::is_sorted(event.daemons.begin(), event.daemons.end()));
    const auto& daemons = event.daemons;
    CHECK(std::find(daemons.begin(), daemons.end(), client.self.node) != daemons.end());
    client.configuration = event;
    client.last_position.reset();
  }

  void see(Client& client, const MessageEvent& event) {
    REQUIRE(client.configuration);
    CHECK(client.configuration->id == event.configuration);
    const Position position{event.configuration, event.seq, event.index};
    if (client.last_position) CHECK(*client.last_position < position);
    client.last_position = position;
    for (const auto& group : std::set<std::string>(event.groups.begin(), event.groups.end())) {
      if (client.is_member(group)) client.stays[group].messages.push_back(position);
    }
  }

  void see(Client& client, const TransitionalEvent& event) {
    REQUIRE(client.is_member(event.group));
    ++client.stays[event.group].signals;
    CHECK(client.stays[event.group].signals == 1);
  }

  static void see(Client& client, const LeftEvent& event) {
    REQUIRE(client.is_member(event.group));
    client.stays.erase(event.group);
  }

  static void see(Client& client, const ConfirmEvent& event) {
    REQUIRE(client.configuration);
    CHECK(client.configuration->id == event.configuration);
    if (!client.confirmed.empty()) CHECK(client.confirmed.back() < event.ticket);
    client.confirmed.push_back(event.ticket);
  }

  void see(Client& client, const ViewEvent& view) {
    REQUIRE(client.configuration);
    CHECK(client.configuration->id == view.id.configuration);
    if (client.last_view_id && client.last_view_id->configuration == view.id.configuration &&
        client.last_view_id->next == view.id.next) {
      CHECK(client.last_view_id->number < view.id.number);
    }
    client.last_view_id = view.id;
    const Shared shared{view.group, view.cause, view.who, view.members};
    CHECK(views_.try_emplace(view.id, shared).first->second == shared);
    CHECK(std::is_sorted(view.members.begin(), view.members.end()));
    CHECK(std::is_sorted(view.with_me.begin(), view.with_me.end()));
    CHECK(std::count(view.members.begin(), view.members.end(), client.self) == 1);
    CHECK(std::count(view.with_me.begin(), view.with_me.end(), client.self) == 1);

    if (!view.id.next) {
      for (const auto& member : view.members) {
        const auto& daemons = client.configuration->daemons;
        CHECK(std::find(daemons.begin(), daemons.end(), member.node) != daemons.end());
      }
    }

    auto& stay = client.stays[view.group];
    const bool joined = !stay.view.has_value();
    check_cause(client, stay, view);
    Arrival arrival{client.self, joined, view.with_me, std::nullopt, stay.messages};
    if (stay.view) arrival.from = stay.view->id;
    arrivals_[view.id].push_back(std::move(arrival));
    stay.view = view;
    stay.messages.clear();
    if (view.cause == Cause::network) stay.signals = 0;
  }

  static void check_cause(const Client& client, const Stay& stay, const ViewEvent& view) {
    if (!stay.view) {
      CHECK(view.cause == Cause::join);
      CHECK(view.who == std::vector<Member>{client.self});
      CHECK(view.with_me == std::vector<Member>{client.self});
      return;
    }
    const auto& before = stay.view->members;
    for (const auto& member : view.with_me) {
      CHECK(std::binary_search(before.begin(), before.end(), member));
      CHECK(std::binary_search(view.members.begin(), view.members.end(), member));
    }
    switch (view.cause) {
      case Cause::join:
        REQUIRE(view.who.size() == 1);
        CHECK(!std::binary_search(before.begin(), before.end(), view.who.front()));
        CHECK(without(view.members, view.who.front()) == before);
        break;
      case Cause::leave:
      case Cause::disconnect:
        REQUIRE(view.who.size() == 1);
        CHECK(std::binary_search(before.begin(), before.end(), view.who.front()));
        CHECK(view.members == without(before, view.who.front()));
        break;
      case Cause::network:
        CHECK(view.who.empty());
        CHECK(stay.signals == 1);
        CHECK(view.id.next == std::nullopt);
        break;
    }
  }

  std::map<ViewId, Shared> views_;
  std::map<ViewId, std::vector<Arrival>> arrivals_;
};

inline std::vector<std::string> Client::story() const {
  struct Teller {
    std::string operator()(const ConfigurationEvent& event) const {
      return "config of " + std::to_string(event.daemons.size());
    }
    std::string operator()(const MessageEvent& event) const {
      const auto whole = event.payload.joined();
      const auto bytes = whole.bytes();
      std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return event.transitional ? text + " (transitional)" : text;
    }
    std::string operator()(const ViewEvent& event) const {
      std::string text = event.group + " " + std::string(to_string(event.cause)) + " {";
      for (const auto& member : event.members) {
        text += (text.back() == '{' ? "" : " ") + member.name;
      }
      text += "} with {";
      for (const auto& member : event.with_me) {
        text += (text.back() == '{' ? "" : " ") + member.name;
      }
      return text + "}";
    }
    std::string operator()(const TransitionalEvent& event) const {
      return event.group + " transitional";
    }
    std::string operator()(const LeftEvent& event) const { return event.group + " left"; }
    std::string operator()(const ConfirmEvent& event) const {
      return "confirm " + std::to_string(event.ticket) + (event.stable ? " stable" : "") +
             (event.transitional ? " transitional" : "");
    }
  };
  std::vector<std::string> lines;
  for (const auto& event : events) {
    lines.push_back(std::visit(Teller{}, event));
  }
  return lines;
}

}  // namespace ringcast::test
