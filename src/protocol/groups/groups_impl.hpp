// SPDX-License-Identifier: Apache-2.0
//
// Groups::Impl: what Groups holds. Private to this folder: groups.cpp has the requests and the
// ordered envelopes, configurations.cpp the configuration changes and what they set off.
//
// The two facts that steer it: complete_ says that the Directory is the one all daemons of the
// current configuration share; companions_ are the daemons with our history of views. [GRP-6]
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/groups/directory.hpp"
#include "protocol/groups/envelope.hpp"
#include "protocol/groups/groups.hpp"
#include "protocol/groups/merge.hpp"

namespace ringcast {

/// A client of this daemon. Closed ones stay until their disconnect was ordered. [GRP-11]
struct LocalSession {
  std::string name;
  bool open{true};
  std::set<std::string, std::less<>> asked;      ///< joins submitted and not taken back
  std::set<std::string, std::less<>> signalled;  ///< told of the coming network view [GRP-7]
  std::uint64_t unordered_bytes{0};
};

class Groups::Impl {
 public:
  Impl(NodeKey self, TraceSink* trace) : self_(self), trace_(trace), companions_{self} {}

  // Requests.
  void open_session(SessionId session, std::string_view name, GroupsOutput& out);
  void join(SessionId session, std::string_view group, GroupsOutput& out);
  void leave(SessionId session, std::string_view group, GroupsOutput& out);
  void publish(SessionId session, const PublishRequest& request, GroupsOutput& out);
  void close_session(SessionId session, Cause cause, GroupsOutput& out);

  // The ordered stream.
  void on_message(OrderedMessage& message, GroupsOutput& out);
  void on_configuration(const ConfigurationChange& change, GroupsOutput& out);

  [[nodiscard]] bool gate_open() const { return complete_ && current_.seq != 0; }
  [[nodiscard]] const ConfigurationEvent& configuration() const { return configuration_; }
  [[nodiscard]] std::uint64_t unordered_bytes(SessionId session) const;
  [[nodiscard]] const Directory& directory() const { return directory_; }
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  LocalSession& open_local(SessionId session);
  static void submit(LocalSession& local, BufferRef envelope, Service service, GroupsOutput& out);
  void give_credit_back(const OrderedMessage& message, SessionId session);
  bool is_too_early(const OrderedMessage& message);
  [[nodiscard]] std::vector<SessionId> open_members(std::string_view group) const;
  void add_open_members(std::string_view group, std::vector<SessionId>& to) const;
  void add_recipients(
      const OrderedMessage& message, const ClientMessage& sent, std::vector<SessionId>& to) const;
  void add_private_recipient(std::string_view destination, std::vector<SessionId>& to) const;

  void apply(OrderedMessage& message, const ClientMessage& sent, GroupsOutput& out);
  void apply(const OrderedMessage& message, const JoinChange& join, GroupsOutput& out);
  void apply(const OrderedMessage& message, const LeaveChange& leave, GroupsOutput& out);
  void apply(const OrderedMessage& message, const DisconnectChange& change, GroupsOutput& out);
  void apply(const OrderedMessage& message, const ExchangeChunk& chunk, GroupsOutput& out);
  void confirm(const OrderedMessage& message, const ClientMessage& sent, GroupsOutput& out);
  void left_view(const std::string& group, const Member& who, Cause cause, GroupsOutput& out);

  void part_from_all_but(std::span<const NodeKey> members, GroupsOutput& out);
  void enter_regular(const ConfigurationChange& change, GroupsOutput& out);
  void start_exchange(GroupsOutput& out);
  void finish_exchange(GroupsOutput& out);
  void complete(
      const std::vector<std::string>& affected,
      std::span<const NodeKey> with_us,
      GroupsOutput& out);

  void signal(std::string_view group, GroupsOutput& out);
  void network_view(const std::string& group, std::span<const NodeKey> with_us, GroupsOutput& out);
  ViewId next_view_id();
  void reject(const OrderedMessage& message, std::string_view why);
  void trace_exchange(TraceLevel level, std::string_view text);

  NodeKey self_;
  TraceSink* trace_;
  Directory directory_;
  std::map<SessionId, LocalSession> sessions_;
  std::map<std::string, SessionId, std::less<>> open_names_;

  RingId current_;                   ///< the regular configuration we are in, or left last
  std::optional<RingId> next_;       ///< set: in the transitional configuration that leads to it
  std::vector<NodeKey> members_;     ///< of current_
  std::vector<NodeKey> companions_;  ///< daemons that share our history of views [GRP-6]
  bool complete_{true};              ///< the Directory is that of current_ [GRP-5]
  std::optional<Exchange> exchange_;
  ConfigurationEvent configuration_;
  std::uint64_t view_number_{0};
  std::uint64_t rejected_{0};
};

/// Those of `members` whose daemon is one of `companions` (ascending).
std::vector<Member> members_within(
    std::span<const Member> members, std::span<const NodeKey> companions);

}  // namespace ringcast
