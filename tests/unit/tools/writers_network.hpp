// SPDX-License-Identifier: Apache-2.0
//
// WritersNetwork: daemons, whole writers (Scribes, with files in a directory) and publishers
// (Outboxes) under an order like the ring's, driven by a seed: messages wait to be ordered,
// clients read at their own pace, networks split and merge, writers are killed and come back.
// A split delivers what was ordered last as regular on one side and transitionally on another.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/outbox.hpp"
#include "tools/ringlog-write/scribe.hpp"

namespace ringcast::ringlog {

class WritersNetwork {
 public:
  WritersNetwork(std::uint64_t seed, std::vector<std::string> daemons);

  /// Adds a writer, or starts one that was killed, at its daemon.
  void start_writer(const std::string& name, const std::string& daemon);
  /// Of what it writes from its next start on.
  void limit_writer(const std::string& name, Keep keep) { keeps_[name] = keep; }
  /// What it has not read is gone.
  void kill_writer(const std::string& name);
  /// Reads all that was delivered to it.
  void drain(const std::string& name);
  void add_publisher(const std::string& daemon);
  /// The publisher at that place accepts so many lines more, each at least as long as said.
  void publish(std::size_t publisher, std::uint64_t lines, std::size_t line_bytes = 0);
  /// Each daemon's component, by number.
  void reconfigure(const std::map<std::string, int>& parts);
  /// Something happens: a message is ordered, a client reads, time passes.
  void step();
  /// Until nothing happens any more; false when that takes too long.
  bool settle();

  [[nodiscard]] std::string file(const std::string& writer) const;
  /// REQUIRES: it runs.
  [[nodiscard]] const Scribe& scribe(const std::string& writer) const {
    return *clients_.at(writer).scribe;
  }
  [[nodiscard]] std::string path(const std::string& writer) const { return directory_ / writer; }
  [[nodiscard]] bool is_running(const std::string& writer) const {
    return clients_.contains(writer) && clients_.at(writer).scribe != nullptr;
  }
  [[nodiscard]] bool is_live(const std::string& writer) const;
  [[nodiscard]] bool are_together(const std::string& one, const std::string& other) const;
  /// All lines that were accepted.
  [[nodiscard]] const std::set<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::vector<std::string> pending_files() const;
  [[nodiscard]] std::string story() const;
  std::mt19937_64& random() { return random_; }
  std::uint64_t any(std::uint64_t below) { return random_() % below; }

 private:
  struct Client {
    std::string name;
    std::string daemon;
    std::deque<Event> inbox;
    std::unique_ptr<Scribe> scribe;
    bool joined{false};
    bool joined_writers{false};
    std::map<MemberName, SenderProgress> progress;
    // A publisher.
    std::unique_ptr<Outbox> outbox;
    Producer producer;
    std::uint64_t seq{0};
    std::uint64_t tickets{0};
    std::optional<Configuration> configuration;
    [[nodiscard]] MemberName member() const { return MemberName{name, daemon}; }
  };
  struct Request {
    std::string client;
    std::string group;  // to be joined, when the message has none
    std::optional<Message> message;
    std::uint64_t ticket{0};
  };
  struct Component {
    ConfigurationId id;
    std::vector<std::string> daemons;
    std::uint64_t seq{0};
    std::uint64_t views{0};
    std::deque<Request> waiting;
    std::deque<Request> ordered;  // and not yet delivered: not yet stable
    std::map<std::string, std::vector<std::string>> groups;  // clients, by group
  };

  Component& component_of(const std::string& daemon);
  void order_one(Component& component);
  void deliver_one(Component& component, bool transitional);
  void deliver(Component& component, const Request& request, bool transitional);
  void change_group(Component& component, const std::string& name, Cause cause, Client& who);
  void read_one(Client& client);
  void work(Client& client);
  void work_publisher(Client& client);
  void work_writer(Client& client);
  void publish_from(Client& client, Outgoing message, std::uint64_t ticket);
  [[nodiscard]] std::vector<MemberName> members(const std::vector<std::string>& names) const;
  void install(
      Component& component,
      const std::map<std::string, std::map<std::string, std::set<std::string>>>& before);

  TemporaryDirectory directory_;
  std::mt19937_64 random_;
  std::vector<std::string> daemons_;
  std::deque<Component> components_;
  std::map<std::string, Client> clients_;
  std::map<std::string, Keep> keeps_;
  std::uint64_t rings_{0};
  std::set<std::string> lines_;
  Scribe::Instant now_{std::chrono::hours{1}};
  std::vector<std::string> story_;
};

}  // namespace ringcast::ringlog
