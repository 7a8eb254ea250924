// SPDX-License-Identifier: Apache-2.0
//
// World: several Groups on top of a pretended ring. A ring here is a list of messages; each
// daemon has read it up to some place. Partitions, merges, crashes and members that do not get
// through recovery are made by feeding the configuration changes a real ring would give:
// daemons that move together have delivered the same, own messages always come back, and
// after a gap only messages of those who move together are delivered.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/groups/groups.hpp"
#include "tests/unit/groups/watcher.hpp"

namespace ringcast::test {

class World {
 public:
  /// With a seed, messages of daemons left behind are lost at random; without, none is.
  explicit World(std::optional<std::uint64_t> seed = std::nullopt)
      : random_(seed.value_or(0)), lossy_(seed.has_value()) {}

  // Daemons. ---------------------------------------------------------------------------------

  void start(const std::string& name) {
    auto& daemon = daemons_[name];
    REQUIRE(daemon.groups == nullptr);
    daemon.key = {.node = node_id(name), .boot = BootId{++boots_}};
    daemon.groups = std::make_unique<Groups>(daemon.key, nullptr);
    daemon.ring = make_ring({daemon.key});
    const ConfigurationChange alone{
        .kind = ConfigurationChange::Kind::regular,
        .id = ring(daemon.ring).id,
        .previous = {},
        .members = {daemon.key}};
    configure(daemon, alone);
  }

  void start(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      start(name);
    }
  }

  /// Gone without a word, its clients with it.
  void crash(const std::string& name) {
    auto& daemon = daemons_.at(name);
    ring(daemon.ring).closed = true;
    daemon = Daemon{};
    for (auto& entry : clients_) {
      if (entry.second.self.node == node_id(name)) entry.second.open = false;
    }
  }

  [[nodiscard]] bool is_up(const std::string& name) const {
    const auto at = daemons_.find(name);
    return at != daemons_.end() && at->second.groups != nullptr;
  }

  Groups& groups(const std::string& name) { return *daemons_.at(name).groups; }

  /// The named daemons become one configuration. `stuck` are thought to be in it, but do not
  /// get through recovery: they stay behind in their old configuration.
  void reform(const std::vector<std::string>& names, const std::set<std::string>& stuck = {}) {
    std::vector<NodeKey> members;
    std::map<std::size_t, std::vector<std::string>> by_old_ring;
    for (const auto& name : names) {
      members.push_back(daemons_.at(name).key);
      by_old_ring[daemons_.at(name).ring].push_back(name);
    }
    std::sort(members.begin(), members.end());
    const auto next = make_ring(members);
    for (const auto& [old, together] : by_old_ring) {
      move_together(old, together, stuck, next);
    }
  }

  // The order. -------------------------------------------------------------------------------

  /// The daemon puts its next envelope into the order. False: it has none, or may not.
  bool originate(const std::string& name) {
    auto& daemon = daemons_.at(name);
    auto& now = ring(daemon.ring);
    if (now.closed) return false;
    auto* queue = &daemon.exchange_queue;
    if (queue->empty() && daemon.groups->gate_open()) queue = &daemon.client_queue;
    if (queue->empty()) return false;
    auto entry = std::move(queue->front());
    queue->pop_front();
    entry.message.configuration = now.id;
    entry.message.originator = daemon.key.node;
    entry.message.seq = Seq{now.entries.size() + 1};
    now.entries.push_back(std::move(entry));
    return true;
  }

  /// Delivers the next message of its configuration. False: there is none.
  bool deliver(const std::string& name) {
    auto& daemon = daemons_.at(name);
    auto& now = ring(daemon.ring);
    if (now.closed || daemon.read == now.entries.size()) return false;
    deliver_entry(daemon, now.entries[daemon.read++], false);
    return true;
  }

  /// The newest message in the order of its configuration.
  [[nodiscard]] const OrderedMessage& newest(const std::string& name) {
    return ring(daemons_.at(name).ring).entries.back().message;
  }

  /// Until nobody has anything to send or to read.
  void run() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (const auto& [name, daemon] : daemons_) {
        if (!daemon.groups) continue;
        while (originate(name)) {
          busy = true;
        }
        while (deliver(name)) {
          busy = true;
        }
      }
    }
  }

  /// An envelope of no known client, straight into the order.
  void inject(const std::string& name, const BufferRef& envelope) {
    auto& daemon = daemons_.at(name);
    Entry entry;
    entry.message.payload = envelope;
    entry.message.configuration = ring(daemon.ring).id;
    entry.message.originator = daemon.key.node;
    entry.message.seq = Seq{ring(daemon.ring).entries.size() + 1};
    ring(daemon.ring).entries.push_back(std::move(entry));
  }

  // Clients. ---------------------------------------------------------------------------------

  /// `name` must be unique in this world; its private name is the part before a '/'.
  Client& connect(const std::string& name, const std::string& daemon) {
    auto& client = clients_[name];
    client.self = {
        .node = node_id(daemon),
        .name = name.substr(0, name.find('/')),
        .session = SessionId{++sessions_}};
    client_daemons_[name] = daemon;
    GroupsOutput out;
    groups(daemon).open_session(client.self.session, client.self.name, out);
    take(daemons_.at(daemon), out);
    return client;
  }

  void join(const std::string& name, const std::string& group) {
    GroupsOutput out;
    groups_of(name).join(clients_.at(name).self.session, group, out);
    take(daemon_of(name), out);
  }

  void leave(const std::string& name, const std::string& group) {
    GroupsOutput out;
    groups_of(name).leave(clients_.at(name).self.session, group, out);
    take(daemon_of(name), out);
  }

  struct Options {
    Service service{Service::agreed};
    bool echo{true};
    bool confirm{true};
    std::int32_t type{0};
  };

  std::uint64_t publish(
      const std::string& name, const std::vector<std::string>& groups, const std::string& text) {
    return publish(name, groups, text, Options{});
  }
  std::uint64_t publish(
      const std::string& name,
      const std::vector<std::string>& groups,
      const std::string& text,
      const Options& options) {
    const auto& client = clients_.at(name);
    PublishRequest request;
    request.ticket = ++tickets_;
    const std::vector<std::string_view> names(groups.begin(), groups.end());
    request.groups = names;
    request.service = options.service;
    request.echo = options.echo;
    request.confirm = options.confirm;
    request.type = options.type;
    request.payload = std::as_bytes(std::span{text.data(), text.size()});
    GroupsOutput out;
    groups_of(name).publish(client.self.session, request, out);
    REQUIRE(out.submissions.size() == 1);
    sent_ = Sent{client.self, groups, options.echo};
    take(daemon_of(name), out);
    sent_.reset();
    return request.ticket;
  }

  void close(const std::string& name, Cause cause = Cause::disconnect) {
    auto& client = clients_.at(name);
    client.open = false;
    GroupsOutput out;
    groups_of(name).close_session(client.self.session, cause, out);
    take(daemon_of(name), out);
  }

  Client& client(const std::string& name) { return clients_.at(name); }
  [[nodiscard]] const std::map<std::string, Client>& clients() const { return clients_; }
  [[nodiscard]] const std::string& daemon_name(const std::string& client) const {
    return client_daemons_.at(client);
  }
  Watcher& watcher() { return watcher_; }
  std::mt19937_64& random() { return random_; }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  /// How many client messages were delivered where nobody knew who was to get them.
  [[nodiscard]] int dropped_at_gate() const { return dropped_at_gate_; }

 private:
  struct Sent {
    Member sender;
    std::vector<std::string> groups;
    bool echo{true};
  };
  struct Entry {
    OrderedMessage message;
    std::optional<Sent> sent;  ///< set: a client message
  };
  struct Ring {
    RingId id;
    std::vector<NodeKey> members;
    bool closed{false};  ///< somebody has left it: its token is gone
    std::vector<Entry> entries;
  };
  struct Daemon {
    NodeKey key;
    std::unique_ptr<Groups> groups;
    std::size_t ring{0};
    std::size_t read{0};
    std::deque<Entry> exchange_queue;
    std::deque<Entry> client_queue;
  };

  Ring& ring(std::size_t index) { return rings_.at(index); }
  Daemon& daemon_of(const std::string& client) { return daemons_.at(client_daemons_.at(client)); }
  Groups& groups_of(const std::string& client) { return *daemon_of(client).groups; }

  std::size_t make_ring(const std::vector<NodeKey>& members) {
    Ring made;
    made.id = {
        .seq = rings_.size() + 1,
        .representative = members.front().node,
        .boot = members.front().boot};
    made.members = members;
    rings_.push_back(std::move(made));
    return rings_.size() - 1;
  }

  void configure(Daemon& daemon, const ConfigurationChange& change) {
    GroupsOutput out;
    daemon.groups->on_configuration(change, out);
    take(daemon, out);
  }

  void move_together(
      std::size_t old,
      const std::vector<std::string>& together,
      const std::set<std::string>& stuck,
      std::size_t next);

  void deliver_entry(Daemon& daemon, const Entry& entry, bool transitional) {
    auto message = entry.message;
    message.transitional = transitional;
    std::set<SessionId> expected;
    if (entry.sent && daemon.groups->gate_open()) expected = recipients(daemon, *entry.sent);
    if (entry.sent && !daemon.groups->gate_open()) {
      ++dropped_at_gate_;
      CHECK(entry.sent->sender.node != daemon.key.node);
    }
    GroupsOutput out;
    daemon.groups->on_message(OrderedMessage(message), out);
    std::set<SessionId> got;
    for (const auto& delivery : out.deliveries) {
      if (!std::holds_alternative<MessageEvent>(delivery.event)) continue;
      for (const auto session : out.to(delivery)) {
        CHECK(got.insert(session).second);
      }
    }
    CHECK(got == expected);
    take(daemon, out);
  }

  /// By what the clients themselves know of their memberships.
  std::set<SessionId> recipients(const Daemon& daemon, const Sent& sent) const {
    std::set<SessionId> to;
    for (const auto& [name, client] : clients_) {
      if (!client.open || client.self.node != daemon.key.node) continue;
      if (client.self == sent.sender && !sent.echo) continue;
      const auto full = "#" + client.self.name + "#" + client_daemons_.at(name);
      for (const auto& group : sent.groups) {
        if (group == full || client.is_member(group)) to.insert(client.self.session);
      }
    }
    return to;
  }

  void take(Daemon& daemon, const GroupsOutput& out) {
    for (const auto& submission : out.submissions) {
      Entry entry;
      entry.message.payload = submission.envelope;
      entry.message.service = submission.service;
      entry.sent = sent_;
      auto& queue = submission.exchange ? daemon.exchange_queue : daemon.client_queue;
      queue.push_back(std::move(entry));
    }
    for (const auto& delivery : out.deliveries) {
      REQUIRE(!out.to(delivery).empty());
      for (const auto session : out.to(delivery)) {
        auto& client = client_of(session);
        REQUIRE(client.self.node == daemon.key.node);
        watcher_.event(client, delivery.event);
      }
    }
  }

  Client& client_of(SessionId session) {
    const auto at = std::find_if(clients_.begin(), clients_.end(), [session](const auto& entry) {
      return entry.second.self.session == session;
    });
    REQUIRE(at != clients_.end());
    return at->second;
  }

  std::mt19937_64 random_;
  bool lossy_;
  std::uint32_t boots_{0};
  std::uint64_t sessions_{0};
  std::uint64_t tickets_{0};
  int dropped_at_gate_{0};
  std::map<std::string, Daemon> daemons_;
  std::map<std::string, Client> clients_;
  std::map<std::string, std::string> client_daemons_;
  std::optional<Sent> sent_;
  std::deque<Ring> rings_;
  Watcher watcher_;
};

inline void World::move_together(
    std::size_t old,
    const std::vector<std::string>& together,
    const std::set<std::string>& stuck,
    std::size_t next) {
  std::vector<NodeKey> moving;
  std::size_t cut = 0;
  for (const auto& name : together) {
    moving.push_back(daemons_.at(name).key);
    cut = std::max(cut, daemons_.at(name).read);
  }
  std::sort(moving.begin(), moving.end());
  ring(old).closed = true;
  const auto& entries = ring(old).entries;

  std::vector<std::size_t> rest;
  bool gap = false;
  for (auto i = cut; i < entries.size(); ++i) {
    const auto sender = entries[i].message.originator;
    const bool ours = std::any_of(
        moving.begin(), moving.end(), [sender](const NodeKey& key) { return key.node == sender; });
    const bool lost = !ours && (gap || (lossy_ && pick(3) == 0));
    gap = gap || lost;
    if (!lost) rest.push_back(i);
  }

  ConfigurationChange change{
      .kind = ConfigurationChange::Kind::transitional,
      .id = ring(next).id,
      .previous = ring(old).id,
      .members = moving};
  for (const auto& name : together) {
    if (stuck.contains(name)) continue;
    auto& daemon = daemons_.at(name);
    while (daemon.read < cut) {
      deliver_entry(daemon, entries[daemon.read++], false);
    }
    change.kind = ConfigurationChange::Kind::transitional;
    change.members = moving;
    configure(daemon, change);
    for (const auto i : rest) {
      deliver_entry(daemon, entries[i], true);
    }
    daemon.ring = next;
    daemon.read = 0;
    change.kind = ConfigurationChange::Kind::regular;
    change.members = ring(next).members;
    configure(daemon, change);
  }
}

}  // namespace ringcast::test
