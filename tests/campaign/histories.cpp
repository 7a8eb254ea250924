// SPDX-License-Identifier: Apache-2.0
#include "campaign/histories.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "campaign/witness.hpp"

namespace ringcast::campaign {

namespace {

using sim::History;
using sim::ProcessIndex;
using sim::SessionEnd;
using sim::SessionRecord;

sim::Delivered delivered(History& history, const sim::Received& received) {
  const sim::ReceivedMessage& event = received.event;
  const sim::Label label{.ring = event.configuration, .seq = event.seq, .index = event.index};
  sim::MessageRecord record;
  record.originator = event.sender_node;
  record.label = label;
  record.service = event.service;
  record.hash = received.hash;
  record.payload = received.payload;
  return {
      .message = history.intern(record),
      .label = label,
      .originator = event.sender_node,
      .service = event.service,
      .hash = received.hash,
      .transitional = event.transitional};
}

/// The sessions without what they received: who published what.
std::vector<SessionRecord> publishers(const std::vector<SessionRecord>& sessions) {
  std::vector<SessionRecord> result;
  for (const SessionRecord& session : sessions) {
    SessionRecord& copy = result.emplace_back();
    copy.client = session.client;
    copy.daemon = session.daemon;
    copy.node = session.node;
    copy.name = session.name;
    for (const sim::SessionEvent& event : session.events) {
      if (std::holds_alternative<sim::Published>(event.what)) copy.events.push_back(event);
    }
  }
  return result;
}

std::set<std::string> groups_of(const std::vector<SessionRecord>& sessions) {
  std::set<std::string> groups;
  for (const SessionRecord& session : sessions) {
    for (const sim::SessionEvent& event : session.events) {
      if (const auto* join = std::get_if<sim::AskedJoin>(&event.what)) groups.insert(join->group);
    }
  }
  return groups;
}

/// Builds `witnessed`: processes from witnesses, and sessions with what can be compared with them.
class Witnesses {
 public:
  explicit Witnesses(Recording& recording)
      : recording_(recording), groups_(groups_of(recording.sessions.sessions)) {
    history_.names = recording.sessions.names;
    history_.tells_origins = false;
    history_.settled = recording.settled;
  }

  Witnessed build() {
    assign_runs();
    for (std::size_t run = 0; run < recording_.runs.size(); ++run) {
      choose(run);
    }
    for (ProcessIndex p = 0; p < segments_.size(); ++p) {
      for (const Segment& segment : segments_[p]) {
        if (segment.in_all_groups) complete_[{segment.ring, history_.processes[p].node}] = p;
      }
    }
    for (ProcessIndex p = 0; p < segments_.size(); ++p) {
      tell(p);
    }
    check_confirmed();
    history_.sessions = compared();
    result_.history = std::move(history_);
    return std::move(result_);
  }

 private:
  /// Which run of its daemon a session was connected to.
  void assign_runs() {
    const auto& sessions = recording_.sessions.sessions;
    sessions_of_.resize(recording_.runs.size());
    run_of_.resize(sessions.size());
    for (std::size_t s = 0; s < sessions.size(); ++s) {
      for (std::size_t r = 0; r < recording_.runs.size(); ++r) {
        const DaemonRun& run = recording_.runs[r];
        const bool fits = run.daemon == sessions[s].daemon && run.started < sessions[s].opened &&
                          run.pid == recording_.notes[s].daemon_pid;
        if (fits) run_of_[s] = r;  // the last that fits: process numbers come again
      }
      if (run_of_[s]) sessions_of_[*run_of_[s]].push_back(s);
    }
  }

  /// The session that saw most of the run becomes its process.
  void choose(std::size_t run) {
    std::vector<Segment> best;
    std::size_t most = 0;
    std::size_t witness = 0;
    for (const std::size_t s : sessions_of_[run]) {
      std::vector<Segment> segments = cut(recording_.sessions.sessions[s], groups_);
      std::size_t seen = 0;
      for (const Segment& segment : segments) {
        if (segment.in_all_groups) seen += 1 + segment.regular.size() + segment.transitional.size();
      }
      if (seen <= most) continue;
      most = seen;
      best = std::move(segments);
      witness = s;
    }
    if (most == 0) return;
    const SessionRecord& session = recording_.sessions.sessions[witness];
    sim::Process process;
    process.daemon = session.daemon;
    process.node = session.node;
    process.boot = BootId{static_cast<std::uint32_t>(segments_.size() + 1)};
    process.incarnation = static_cast<std::uint32_t>(segments_.size() + 1);
    process.started = recording_.runs[run].started;
    process.ended = recording_.runs[run].ended;
    // A witness whose session is over sees no more, whatever its daemon does.
    if (!process.ended && session.end != SessionEnd::open) process.ended = session.opened;
    for (const std::size_t s : sessions_of_[run]) {
      process_of_[s] = segments_.size();
    }
    history_.start_process(std::move(process));
    segments_.push_back(std::move(best));
  }

  NodeKey key(const RingId& ring, NodeId node) const {
    const auto at = complete_.find({ring, node});
    const bool known = at != complete_.end();
    return {.node = node, .boot = BootId{known ? static_cast<std::uint32_t>(at->second + 1) : 0}};
  }

  void add(ProcessIndex p, Instant time, sim::Installed change) {
    std::sort(change.members.begin(), change.members.end());
    history_.processes[p].events.push_back({.time = time, .what = std::move(change)});
  }

  std::size_t add(
      ProcessIndex p, const std::vector<std::pair<Instant, const sim::Received*>>& messages) {
    std::size_t count = 0;
    for (const auto& [time, received] : messages) {
      if (!is_to_a_group(received->event.groups)) continue;
      history_.processes[p].events.push_back(
          {.time = time, .what = delivered(history_, *received)});
      ++count;
    }
    return count;
  }

  /// A name for what lies between two configurations, equal for those who came along together.
  /// Not of a ring that could exist, so nothing can be mistaken for it.
  RingId step(const RingId& from, const RingId& to, const std::set<NodeId>& companions) {
    const auto number = static_cast<std::uint32_t>(
        steps_.try_emplace({from, to, companions}, steps_.size() + 1).first->second);
    return {.seq = from.seq, .representative = NodeId{number}, .boot = BootId{0}};
  }

  void tell(ProcessIndex p) {
    const std::vector<Segment>& segments = segments_[p];
    const NodeId self = history_.processes[p].node;
    RingId before;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const Segment& segment = segments[i];
      ++result_.configurations;
      if (!segment.in_all_groups) continue;
      ++result_.complete;
      sim::Installed regular;
      regular.kind = ConfigurationChange::Kind::regular;
      regular.id = segment.ring;
      regular.previous = before;
      for (const NodeId daemon : segment.daemons) {
        regular.members.push_back(key(segment.ring, daemon));
      }
      add(p, segment.began, regular);
      result_.deliveries += add(p, segment.regular);
      const bool goes_on = i + 1 < segments.size();
      if (!goes_on && segment.transitional.empty()) continue;
      sim::Installed transitional;
      transitional.kind = ConfigurationChange::Kind::transitional;
      transitional.previous = segment.ring;
      const bool known = goes_on && segment.companions.has_value();
      // Alone with an unknown rest: a name of its own, shared with nobody.
      const std::set<NodeId> companions =
          known ? *segment.companions
                : std::set<NodeId>{self, NodeId{0xe0000000U + static_cast<std::uint32_t>(p)}};
      transitional.id = step(segment.ring, goes_on ? segments[i + 1].ring : RingId{}, companions);
      for (const NodeId daemon : companions) {
        const NodeKey member = key(segment.ring, daemon);
        if (member.boot.value != 0) transitional.members.push_back(member);
      }
      before = transitional.id;
      const Instant time =
          segment.transitional.empty() ? segments[i + 1].began : segment.transitional.front().first;
      add(p, time, transitional);
      result_.deliveries += add(p, segment.transitional);
    }
  }

  /// What a client was told to be stable in a regular configuration, each of its daemons delivers
  /// in it or in the transitional one behind it, or ends before the next.
  void check_confirmed() {
    std::vector<std::set<sim::Label>> labels(segments_.size());
    std::map<RingId, std::vector<NodeId>> members;
    for (ProcessIndex p = 0; p < segments_.size(); ++p) {
      for (const sim::ProcessEvent& event : history_.processes[p].events) {
        const auto* message = std::get_if<sim::Delivered>(&event.what);
        if (message != nullptr) labels[p].insert(message->label);
      }
      for (const Segment& segment : segments_[p]) {
        members.try_emplace(segment.ring, segment.daemons);
      }
    }
    for (const SessionRecord& session : recording_.sessions.sessions) {
      const std::set<std::uint64_t> comparable = tickets_to_groups(session);
      for (const sim::SessionEvent& event : session.events) {
        const auto* confirm = std::get_if<ConfirmEvent>(&event.what);
        if (confirm == nullptr || !confirm->stable || confirm->transitional) continue;
        if (!comparable.contains(confirm->ticket)) continue;
        ++result_.confirmations;
        for (const NodeId daemon : members[confirm->configuration]) {
          check_kept(*confirm, daemon, labels);
        }
      }
    }
  }

  void check_kept(
      const ConfirmEvent& confirm, NodeId daemon, const std::vector<std::set<sim::Label>>& labels) {
    const auto complete = complete_.find({confirm.configuration, daemon});
    if (complete == complete_.end()) return;
    const ProcessIndex p = complete->second;
    const bool moved_on = segments_[p].back().ring != confirm.configuration;
    const bool waits = history_.processes[p].ended || !history_.settled;
    if (!moved_on && waits) return;
    const sim::Label label{
        .ring = confirm.configuration, .seq = confirm.seq, .index = confirm.index};
    if (labels[p].contains(label)) return;
    result_.not_kept.push_back(
        {.invariant = "E18",
         .what = history_.describe_process(p) + " never delivered " + history_.show(label.ring) +
                 " seq " + std::to_string(label.seq.value) + "/" + std::to_string(label.index) +
                 ", which was confirmed as stable"});
  }

  static std::set<std::uint64_t> tickets_to_groups(const SessionRecord& session) {
    std::set<std::uint64_t> tickets;
    for (const sim::SessionEvent& event : session.events) {
      const auto* publish = std::get_if<sim::Published>(&event.what);
      if (publish != nullptr && is_to_a_group(publish->groups)) tickets.insert(publish->ticket);
    }
    return tickets;
  }

  /// The sessions beside a witness, with what the witness must have seen too.
  std::vector<SessionRecord> compared() {
    std::vector<SessionRecord> result = std::move(recording_.sessions.sessions);
    for (std::size_t s = 0; s < result.size(); ++s) {
      const auto process = process_of_.find(s);
      if (process == process_of_.end()) {
        keep(result[s], [](const RingId&, Seq, std::uint32_t) { return false; });
        continue;
      }
      const ProcessIndex p = process->second;
      result[s].process = p;
      const auto last = last_of(p);
      keep(result[s], [&](const RingId& ring, Seq seq, std::uint32_t index) {
        const auto at = complete_.find({ring, result[s].node});
        if (at == complete_.end() || at->second != p) return false;
        const sim::Label label{.ring = ring, .seq = seq, .index = index};
        // At the end of a daemon one of its sessions may have read further than another.
        return !last || ring != segments_[p].back().ring || label <= *last;
      });
    }
    return result;
  }

  /// The last thing a witness was told before its end; nothing if it lives on.
  std::optional<sim::Label> last_of(ProcessIndex p) const {
    if (!history_.processes[p].ended && history_.settled) return std::nullopt;
    sim::Label last{.ring = segments_[p].back().ring, .seq = Seq{0}, .index = 0};
    for (const sim::ProcessEvent& event : history_.processes[p].events) {
      const auto* message = std::get_if<sim::Delivered>(&event.what);
      if (message != nullptr && message->label.ring == last.ring) {
        last = std::max(last, message->label);
      }
    }
    return last;
  }

  template <class Keeps>
  static void keep(SessionRecord& session, const Keeps& keeps) {
    const std::set<std::uint64_t> comparable = tickets_to_groups(session);
    const auto drops = [&](const sim::SessionEvent& event) {
      if (const auto* received = std::get_if<sim::Received>(&event.what)) {
        const sim::ReceivedMessage& message = received->event;
        return !is_to_a_group(message.groups) ||
               !keeps(message.configuration, message.seq, message.index);
      }
      if (const auto* confirm = std::get_if<ConfirmEvent>(&event.what)) {
        return !comparable.contains(confirm->ticket) ||
               !keeps(confirm->configuration, confirm->seq, confirm->index);
      }
      return false;
    };
    session.events.erase(
        std::remove_if(session.events.begin(), session.events.end(), drops), session.events.end());
  }

  Recording& recording_;
  std::set<std::string> groups_;
  Witnessed result_;
  History history_;
  std::vector<std::vector<std::size_t>> sessions_of_;  ///< by run
  std::vector<std::optional<std::size_t>> run_of_;     ///< by session
  std::map<std::size_t, ProcessIndex> process_of_;     ///< by session
  std::vector<std::vector<Segment>> segments_;         ///< by process
  std::map<std::pair<RingId, NodeId>, ProcessIndex> complete_;
  std::map<std::tuple<RingId, RingId, std::set<NodeId>>, std::size_t> steps_;
};

}  // namespace

History accounts(const Recording& recording) {
  History history;
  history.names = recording.sessions.names;
  history.sessions = publishers(recording.sessions.sessions);
  history.tells_origins = false;
  for (const SessionRecord& session : recording.sessions.sessions) {
    sim::Process process;
    process.daemon = to_string(session.member());
    process.node = NodeId{0xf0000000U + static_cast<std::uint32_t>(session.client)};
    process.boot = BootId{1};
    process.incarnation = static_cast<std::uint32_t>(session.client);
    const ProcessIndex p = history.start_process(std::move(process));
    const auto add = [&](Instant time, const sim::Received& received) {
      history.processes[p].events.push_back({.time = time, .what = delivered(history, received)});
    };
    for (const Segment& segment : cut(session, {})) {
      sim::Installed regular;
      regular.kind = ConfigurationChange::Kind::regular;
      regular.id = segment.ring;
      for (const NodeId daemon : segment.daemons) {
        regular.members.push_back({.node = daemon, .boot = {}});
      }
      history.processes[p].events.push_back({.time = segment.began, .what = regular});
      for (const auto& [time, received] : segment.regular) {
        add(time, *received);
      }
      if (segment.transitional.empty()) continue;
      // Its own: one session cannot tell whose transitional configuration it shared.
      sim::Installed transitional = regular;
      transitional.kind = ConfigurationChange::Kind::transitional;
      transitional.previous = segment.ring;
      transitional.id = {
          .seq = segment.ring.seq,
          .representative = history.processes[p].node,
          .boot = BootId{static_cast<std::uint32_t>(session.client)}};
      history.processes[p].events.push_back(
          {.time = segment.transitional.front().first, .what = transitional});
      for (const auto& [time, received] : segment.transitional) {
        add(time, *received);
      }
    }
  }
  return history;
}

Witnessed witnessed(Recording& recording) { return Witnesses{recording}.build(); }

}  // namespace ringcast::campaign
