// SPDX-License-Identifier: Apache-2.0
//
// Groups of one daemon fed with an ordered stream that other daemons may have forged: pieces of
// exchanges, changes and messages under any originator, configurations that come and go. A
// second daemon, a witness without clients, is handed the same stream: where both have a whole
// directory it must be the same one.
#include "protocol/groups/groups.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/groups/envelope.hpp"
#include "protocol/session/session.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::array<NodeKey, 4> daemons{
    {{NodeId{1}, BootId{11}},
     {NodeId{2}, BootId{12}},
     {NodeId{3}, BootId{13}},
     {NodeId{4}, BootId{14}}}};
constexpr std::size_t ours = 1;
constexpr std::size_t witness = 2;
constexpr std::size_t steps_max = 400;

std::string word(std::uint8_t byte) { return {static_cast<char>('a' + byte % 6)}; }

/// Frames of all events must be readable, or a client would be lost with them.
void check_readable(const ClientEvent& event) {
  const BufferRef frame = Session::encode_event(event).joined();
  check(
      decode_server_frame(frame.bytes().subspan(frame_length_bytes)).ok(),
      "an event's frame can be read");
}

class World {
 public:
  explicit World(ByteReader& reader)
      : reader_(reader), groups_(daemons[ours], nullptr), witness_(daemons[witness], nullptr) {
    // The two start in one ring and are never parted.
    is_transitional_ = true;
    along_ = {daemons[ours], daemons[witness]};
    regular(0);
  }

  void step() {
    switch (reader_.u8() % 12) {
      case 0:
      case 1:
        deliver(0);
        break;
      case 2:
        deliver(1);
        break;
      case 3:
        transitional(reader_.u8());
        break;
      case 4:
        regular(reader_.u8());
        break;
      case 5:
        raw();
        break;
      case 6:
      case 7:
        piece();
        break;
      case 8:
        forged_change();
        break;
      default:
        request();
        break;
    }
  }

 private:
  /// What one of the two wanted to say comes back ordered.
  void deliver(std::size_t whose) {
    auto& queue = submitted_[whose];
    if (queue.empty()) return;
    const Submission submission = std::move(queue.front());
    queue.pop_front();
    message(daemons[whose == 0 ? ours : witness].node, submission.envelope, submission.service);
  }

  void message(NodeId originator, const BufferRef& payload, Service service) {
    OrderedMessage ordered;
    ordered.configuration = current_;
    ordered.seq = Seq{++seq_};
    ordered.originator = originator;
    ordered.service = service;
    ordered.transitional = is_transitional_;
    ordered.payload = payload;
    give(ordered);
  }

  template <class Event>
  void give(const Event& event) {
    GroupsOutput mine;
    GroupsOutput other;
    if constexpr (std::is_same_v<Event, OrderedMessage>) {
      groups_.on_message(OrderedMessage(event), mine);
      witness_.on_message(OrderedMessage(event), other);
    } else {
      groups_.on_configuration(event, mine);
      witness_.on_configuration(event, other);
    }
    take(mine);
    check(other.deliveries.empty(), "nobody is told where nobody is");
    for (auto& submission : other.submissions) {
      submitted_[1].push_back(std::move(submission));
    }
    check(groups_.gate_open() == witness_.gate_open(), "both are complete at the same place");
    if (groups_.gate_open()) {
      check(groups_.members({}) == witness_.members({}), "both have the same directory");
      check(groups_.configuration().id == current_ || is_transitional_, "of this configuration");
    }
  }

  void take(GroupsOutput& out) {
    for (auto& submission : out.submissions) {
      check(decode_envelope(submission.envelope.bytes()).ok(), "our envelopes can be read");
      submitted_[0].push_back(std::move(submission));
    }
    for (const auto& delivery : out.deliveries) {
      check_readable(delivery.event);
      const auto to = out.to(delivery);
      check(!to.empty(), "a delivery has recipients");
      const std::set<SessionId> once(to.begin(), to.end());
      check(once.size() == to.size(), "each recipient once");
      for (const auto session : to) {
        check(is_open(session), "only open sessions are told");
      }
    }
  }

  /// As a ring does it: those who come along are told first, then who else there is.
  void transitional(std::uint32_t mask) {
    if (is_transitional_) return;
    is_transitional_ = true;
    along_.clear();
    for (const auto& key : members_) {
      const bool stays = key == daemons[ours] || key == daemons[witness];
      if (stays || (mask >> (key.node.value - 1) & 1U) != 0) along_.push_back(key);
    }
    ConfigurationChange change;
    change.kind = ConfigurationChange::Kind::transitional;
    change.id = next_ring();
    change.previous = current_;
    change.members = along_;
    give(change);
  }

  void regular(std::uint32_t mask) {
    transitional(mask);
    is_transitional_ = false;
    ConfigurationChange change;
    change.previous = current_;
    current_ = next_ring();
    change.id = current_;
    change.members = along_;
    for (std::size_t i = 0; i < daemons.size(); ++i) {
      NodeKey key = daemons[i];
      if ((mask >> (4 + i) & 1U) != 0) key.boot.value += 100;  // another run of it
      const bool is_along = std::any_of(
          along_.begin(), along_.end(), [&](const NodeKey& a) { return a.node == key.node; });
      if ((mask >> i & 1U) != 0 && !is_along) change.members.push_back(key);
    }
    std::sort(change.members.begin(), change.members.end());
    members_ = change.members;
    seq_ = 0;
    for (auto& queue : submitted_) {
      std::erase_if(queue, [](const Submission& s) { return s.exchange; });
    }
    give(change);
  }

  [[nodiscard]] RingId next_ring() const {
    return RingId{current_.seq + 4, daemons[0].node, daemons[0].boot};
  }

  NodeId any_member() { return members_[reader_.u8() % members_.size()].node; }

  void raw() {
    const NodeId from = any_member();
    const auto bytes = up_to(reader_, reader_.u8());
    message(from, BufferRef::copy_of(bytes), Service::agreed);
  }

  /// A well-formed piece of an exchange, right or wrong in what it says.
  void piece() {
    const NodeId from = any_member();
    const std::uint8_t flags = reader_.u8();
    std::deque<std::string> names;
    ExchangeChunk chunk;
    chunk.configuration = current_;
    if ((flags & 1U) != 0) chunk.configuration.seq += 4;
    chunk.index = (flags >> 1U) & 3U;
    chunk.last = (flags & 8U) != 0;
    for (std::size_t i = 0; i < daemons.size() && chunk.index == 0; ++i) {
      if ((flags >> (4 + i) & 1U) != 0) chunk.companions.push_back(daemons[i]);
    }
    if (chunk.index == 0 && chunk.companions.empty()) chunk.companions.push_back(daemons[0]);
    const std::size_t groups = reader_.u8() % 5;
    for (std::size_t i = 0; i < groups; ++i) {
      const std::uint8_t what = reader_.u8();
      ExchangedGroup group;
      group.name = names.emplace_back(word(what));
      group.changed = (what & 128U) != 0;
      for (unsigned m = 0; m < (what / 8U) % 4U; ++m) {
        const std::uint8_t who = reader_.u8();
        group.members.push_back(ExchangedMember{
            .name = names.emplace_back(word(who)), .session = SessionId{who / 8U % 5U}});
      }
      chunk.groups.push_back(std::move(group));
    }
    message(from, encode(chunk), Service::agreed);
  }

  void forged_change() {
    const NodeId from = any_member();
    const std::uint8_t what = reader_.u8();
    const std::string name = word(reader_.u8());
    const std::string group = word(what);
    const SessionId session{what / 8U % 5U};
    const std::string private_group = "#" + name + "#b";
    switch (what % 5) {
      case 0:
      case 1:
        message(from, encode(JoinChange{session, name, group}), Service::agreed);
        break;
      case 2:
        message(from, encode(LeaveChange{session, group}), Service::agreed);
        break;
      case 3:
        message(from, encode(DisconnectChange{session, (what & 128U) != 0}), Service::agreed);
        break;
      default: {
        ClientMessage sent;
        sent.session = session;
        sent.sender = name;
        sent.echo = (what & 128U) != 0;
        sent.ticket = what;
        sent.groups = {group, private_group, name};
        message(from, encode(sent), Service::safe);
        break;
      }
    }
  }

  /// Requests of our own clients, as Session lets them through.
  void request() {
    const std::uint8_t what = reader_.u8();
    const std::string group = word(reader_.u8());
    auto& client = clients_[what / 8U % clients_.size()];
    GroupsOutput out;
    if (!client.is_open) {
      client = LocalClient{.is_open = true, .id = SessionId{++opened_}, .asked = {}};
      groups_.open_session(client.id, word(what) + std::to_string(opened_), out);
    } else if (what % 8 < 3 && client.asked.insert(group).second) {
      groups_.join(client.id, group, out);
    } else if (what % 8 == 3 && client.asked.erase(group) > 0) {
      groups_.leave(client.id, group, out);
    } else if (what % 8 == 4) {
      client.is_open = false;
      groups_.close_session(client.id, what > 128 ? Cause::leave : Cause::disconnect, out);
    } else {
      PublishRequest publish;
      publish.ticket = what;
      const std::string_view destination = group;
      publish.groups = {&destination, 1};
      publish.echo = (what & 128U) != 0;
      groups_.publish(client.id, publish, out);
    }
    take(out);
  }

  [[nodiscard]] bool is_open(SessionId session) const {
    return std::any_of(clients_.begin(), clients_.end(), [&](const LocalClient& client) {
      return client.is_open && client.id == session;
    });
  }

  struct LocalClient {
    bool is_open{false};
    SessionId id;
    std::set<std::string> asked;
  };

  ByteReader& reader_;
  Groups groups_;
  Groups witness_;
  std::array<std::deque<Submission>, 2> submitted_;  ///< ours, the witness's
  std::array<LocalClient, 4> clients_;
  std::uint64_t opened_{0};
  RingId current_;
  std::vector<NodeKey> members_;
  std::vector<NodeKey> along_;  ///< of the transitional configuration
  std::uint64_t seq_{0};
  bool is_transitional_{false};
};

}  // namespace

void groups(Bytes input) {
  const HeapMeter heap;
  ByteReader reader(input);
  {
    World world(reader);
    for (std::size_t i = 0; i < steps_max && reader.remaining() > 0; ++i) {
      world.step();
    }
  }
  heap.check_peak(4096 * (input.size() + 64), "groups");
}

}  // namespace ringcast::fuzz
