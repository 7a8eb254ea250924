// SPDX-License-Identifier: Apache-2.0
//
// History: what happened in a run, written down by the harness and not by the daemons: for
// each run of a daemon (a process) the ordered list of what its ring handed up and what it
// originated; for each client session the ordered list of what it asked and what it was told.
// The checkers read nothing else.
//
// Messages are joined by content where the payload identifies itself (payload.hpp), so a label
// (ring, seq, index) that is wrong in the same way as the order cannot hide it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ringcast/error.hpp"

#include "protocol/base/client_events.hpp"
#include "protocol/base/ordered.hpp"
#include "sim/cluster.hpp"
#include "sim/payload.hpp"

namespace ringcast::sim {

using ProcessIndex = std::size_t;
using MessageIndex = std::size_t;

/// The place a daemon says a message has.
struct Label {
  RingId ring;
  Seq seq;
  std::uint32_t index{0};

  auto operator<=>(const Label&) const = default;
};

/// For tables that are looked into, and never walked: their order would decide what is said.
struct HashOf {
  static std::size_t mix(std::uint64_t a, std::uint64_t b) {
    return (a * 0x9e3779b97f4a7c15ULL ^ b) * 0xff51afd7ed558ccdULL >> 7U;
  }
  std::size_t operator()(const PayloadId& id) const { return mix(id.client, id.number); }
  std::size_t operator()(const Label& label) const {
    return mix(label.ring.seq ^ label.ring.boot.value, label.seq.value << 16U ^ label.index);
  }
};

/// A session's join or leave at its place in the order.
struct GroupChange {
  bool is_join{false};
  SessionId session;
  std::string group;
};

/// A message, as the first daemon that delivered it showed it.
struct MessageRecord {
  NodeId originator;
  Label label;
  Service service{Service::agreed};
  std::uint64_t hash{0};
  std::optional<FoundPayload> payload;
  std::optional<GroupChange> change;
};

struct Delivered {
  MessageIndex message{0};
  Label label;
  NodeId originator;
  Service service{Service::agreed};
  std::uint64_t hash{0};
  bool transitional{false};  ///< as the daemon says
};
struct Originated {
  RingId ring;
  Seq seq;
  std::uint64_t count{0};  ///< messages that end in the packet
};
using Installed = ConfigurationChange;
/// Its ring went from one state to another.
struct Entered {
  std::string from;
  std::string to;
  std::string reason;
  RingId ring;  ///< the one being formed, or else the current one
};

struct ProcessEvent {
  Instant time;
  std::variant<Delivered, Originated, Installed, Entered> what;
};

/// A daemon opened or closed a session.
struct SessionChange {
  SessionId session;
  std::string name;  ///< of an opened one
  bool opened{false};
};

struct Process {
  std::string daemon;
  NodeId node;
  BootId boot;
  std::uint32_t incarnation{0};
  Storage storage{Storage::kept};
  Instant started;
  std::optional<Instant> ended;
  Ending ending{Ending::crashed};
  std::vector<ProcessEvent> events;
  std::vector<SessionChange> sessions;
};

// What a client session did and saw.
struct AskedJoin {
  std::string group;
};
struct AskedLeave {
  std::string group;
};
struct Published {
  std::uint64_t ticket{0};
  PayloadId id;
  std::vector<std::string> groups;
  Service service{Service::agreed};
  bool echo{true};
  bool confirm{true};
  std::size_t size{0};
};
struct Refused {
  std::uint64_t about{0};
  std::string subject;
  Errc code{Errc::invalid_argument};
};
/// A MessageEvent with names of its own and without its payload.
struct ReceivedMessage {
  ReceivedMessage() = default;
  explicit ReceivedMessage(const MessageEvent& event)
      : configuration(event.configuration),
        seq(event.seq),
        index(event.index),
        sender_node(event.sender_node),
        sender_name(event.sender_name),
        groups(event.groups.begin(), event.groups.end()),
        service(event.service),
        type(event.type),
        transitional(event.transitional) {}

  RingId configuration;
  Seq seq;
  std::uint32_t index{0};
  NodeId sender_node;
  std::string sender_name;
  std::vector<std::string> groups;
  Service service{Service::agreed};
  std::int32_t type{0};
  bool transitional{false};
};
/// With what the payload says of itself.
struct Received {
  ReceivedMessage event;
  std::optional<FoundPayload> payload;
  std::uint64_t hash{0};
};
using ClientHistoryEvent = std::variant<
    AskedJoin,
    AskedLeave,
    Published,
    Refused,
    Received,
    ViewEvent,
    TransitionalEvent,
    LeftEvent,
    ConfigurationEvent,
    ConfirmEvent>;

struct SessionEvent {
  Instant time;
  ClientHistoryEvent what;
};

enum class SessionEnd : std::uint8_t {
  open,     ///< still connected
  goodbye,  ///< the client said goodbye
  hung_up,  ///< the client dropped the connection
  closed,   ///< by the daemon, with a reason
  lost,     ///< connection gone without a word: the daemon crashed
};

struct SessionRecord {
  std::uint64_t client{0};  ///< unique: index + 1
  std::string daemon;
  NodeId node;
  std::optional<ProcessIndex> process;
  std::string name;  ///< empty until welcomed
  Instant opened;
  std::optional<Instant> ended;
  SessionEnd end{SessionEnd::open};
  std::string reason;   ///< of closed
  bool cut_off{false};  ///< its daemon closed it with more to say than its socket took
  std::vector<SessionEvent> events;
  std::vector<std::uint64_t> wrong_answers;  ///< to questions that were not asked, or others

  [[nodiscard]] MemberName member() const { return {.session = name, .daemon = daemon}; }
};

class History {
 public:
  // Daemons.
  ProcessIndex start_process(Process process);
  void end_process(ProcessIndex process, Instant time, Ending ending);
  void ordered(ProcessIndex process, Instant time, const OrderedEvent& event);
  void originated(ProcessIndex process, Instant time, const Originated& originated);
  /// `text` as traced: "from -> to  reason".
  void entered(ProcessIndex process, Instant time, const RingId& ring, std::string_view text);

  // Clients.
  SessionRecord& open_session(
      std::string daemon, std::optional<ProcessIndex> process, Instant time);
  void add(std::uint64_t client, Instant time, ClientHistoryEvent event);
  SessionRecord& session(std::uint64_t client) { return sessions[client - 1]; }
  [[nodiscard]] const SessionRecord& session(std::uint64_t client) const {
    return sessions[client - 1];
  }

  MessageIndex intern(const MessageRecord& message);
  /// Different messages of clients that anybody delivered, as far as their payloads tell.
  [[nodiscard]] std::size_t payloads() const { return by_payload_.size(); }

  [[nodiscard]] std::string describe(MessageIndex message) const;
  [[nodiscard]] std::string describe_process(ProcessIndex process) const;
  [[nodiscard]] std::string name_of(NodeId node) const;
  [[nodiscard]] std::string show(const RingId& ring) const;

  std::vector<Process> processes;
  std::vector<SessionRecord> sessions;
  std::vector<MessageRecord> messages;
  std::map<NodeId, std::string> names;
  Instant healed;        ///< when the fault phase ended
  Instant finished;      ///< when the run ended
  Duration patience{0};  ///< a dead member is not missed for longer, once healed; 0: no bound
  std::size_t message_bytes_max{0};  ///< a larger publish is refused; 0: none is
  bool settled{false};       ///< the run ended healed and quiet: the final state must be complete
  bool tells_origins{true};  ///< false: a hand-written story that leaves originations out

 private:
  /// What has no payload of ours is told apart by its content, originator and place.
  struct Anonymous {
    std::uint64_t hash{0};
    NodeId originator;
    Label label;

    bool operator==(const Anonymous&) const = default;
  };
  struct HashAnonymous {
    std::size_t operator()(const Anonymous& message) const {
      return HashOf::mix(message.hash, HashOf{}(message.label));
    }
  };

  std::unordered_map<PayloadId, MessageIndex, HashOf> by_payload_;
  std::unordered_map<Anonymous, MessageIndex, HashAnonymous> anonymous_;
};

std::string show(Instant time);

}  // namespace ringcast::sim
