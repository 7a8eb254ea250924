// SPDX-License-Identifier: Apache-2.0
#include "campaign/figures.hpp"

#include <algorithm>
#include <optional>

namespace ringcast::campaign {

namespace {

using sim::SessionEvent;
using sim::SessionRecord;
using namespace std::chrono_literals;

// A fault's consequences are over so long after its end: token loss, consensus and the merge of
// whoever came back, with room for a busy machine.
constexpr Duration settling = 6s;
constexpr Duration before_alone = 4s;
constexpr Duration after_alone = 2s;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Faults of clients leave the ring alone.
bool touches_ring(const Fault& fault) {
  return fault.kind != "stall" && fault.kind != "client-kill";
}

Instant end_of(const Fault& fault, Instant finished) { return fault.ended.value_or(finished); }

bool is_alone(const Recording& recording, const Fault& kill) {
  return std::none_of(recording.faults.begin(), recording.faults.end(), [&](const Fault& other) {
    return other.number != kill.number && touches_ring(other) &&
           other.began < kill.began + after_alone &&
           end_of(other, recording.sessions.finished) + before_alone > kill.began;
  });
}

/// What a session still knew of groups shared with the daemon when it was killed.
class Survivor {
 public:
  Survivor(const SessionRecord& session, NodeId killed, Instant when)
      : session_(session), killed_(killed), when_(when) {}

  /// Whether it was in a group with members there, and then when it was told.
  std::optional<std::optional<Instant>> told() const {
    const auto by_time = [](const SessionEvent& event, Instant time) { return event.time < time; };
    const auto& events = session_.events;
    const auto after = std::lower_bound(events.begin(), events.end(), when_, by_time);
    std::map<std::string, bool> shares;
    for (auto at = events.begin(); at != after; ++at) {
      if (const auto* view = std::get_if<ViewEvent>(&at->what)) {
        shares[view->group] =
            std::any_of(view->members.begin(), view->members.end(), [&](const Member& member) {
              return member.node == killed_;
            });
      } else if (const auto* left = std::get_if<LeftEvent>(&at->what)) {
        shares.erase(left->group);
      }
    }
    const bool affected =
        std::any_of(shares.begin(), shares.end(), [](const auto& entry) { return entry.second; });
    if (!affected) return std::nullopt;
    for (auto at = after; at != events.end(); ++at) {
      const auto* view = std::get_if<ViewEvent>(&at->what);
      if (view == nullptr || view->cause != Cause::network) continue;
      const auto shared = shares.find(view->group);
      if (shared != shares.end() && shared->second) return std::optional(at->time);
    }
    return std::optional<Instant>{};
  }

 private:
  const SessionRecord& session_;
  NodeId killed_;
  Instant when_;
};

void measure_kill(const Recording& recording, const Fault& kill, Figures& figures) {
  const bool alone = is_alone(recording, kill);
  const NodeId killed = node_id(kill.target);
  for (const SessionRecord& session : recording.sessions.sessions) {
    const bool open =
        session.opened < kill.began && (!session.ended || *session.ended > kill.began);
    if (!open || session.node == killed || session.events.empty()) continue;
    if (session.events.back().time < kill.began) continue;
    const auto told = Survivor{session, killed, kill.began}.told();
    if (!told) continue;
    for (ViewChanges* changes : {&figures.together, alone ? &figures.alone : nullptr}) {
      if (changes == nullptr) continue;
      if (*told) {
        changes->seconds.push_back(seconds(**told - kill.began));
      } else {
        ++changes->unanswered;
      }
    }
  }
}

/// The stretches without a fault, and not soon after one.
std::vector<std::pair<Instant, Instant>> quiet_stretches(const Recording& recording) {
  std::vector<std::pair<Instant, Instant>> stretches;
  std::optional<Instant> from;
  for (const Fault& fault : recording.faults) {
    if (!touches_ring(fault)) continue;
    if (from && *from < fault.began) stretches.emplace_back(*from, fault.began);
    const Instant over = end_of(fault, recording.sessions.finished) + settling;
    from = std::max(from.value_or(over), over);
  }
  if (from && *from < recording.sessions.finished) {
    stretches.emplace_back(*from, recording.sessions.finished);
  }
  return stretches;
}

struct Count {
  Figures& figures;

  void operator()(const sim::Published& /*event*/) const { ++figures.published; }
  void operator()(const ConfirmEvent& /*event*/) const { ++figures.confirmed; }
  void operator()(const ViewEvent& view) const {
    ++figures.views[std::string(to_string(view.cause))];
  }
  void operator()(const sim::Received& received) const {
    ++figures.received;
    figures.received_transitional += received.event.transitional ? 1U : 0U;
  }
  template <class Other>
  void operator()(const Other& /*event*/) const {}
};

std::string ending(const SessionRecord& session) {
  switch (session.end) {
    case sim::SessionEnd::open:
      return "open at the end";
    case sim::SessionEnd::goodbye:
      return "goodbye";
    case sim::SessionEnd::hung_up:
      return "hung up by the client";
    case sim::SessionEnd::lost:
      return "lost with the daemon";
    case sim::SessionEnd::closed:
      return "closed: " + session.reason;
  }
  return {};
}

}  // namespace

double ViewChanges::quantile(double share) const {
  if (seconds.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(seconds.size()));
  return seconds[std::min(place, seconds.size() - 1)];
}

Figures measure(const Recording& recording) {
  Figures figures;
  std::map<RingId, Instant> configurations;
  for (const SessionRecord& session : recording.sessions.sessions) {
    ++figures.sessions;
    ++figures.endings[ending(session)];
    for (const SessionEvent& event : session.events) {
      std::visit(Count{figures}, event.what);
      const auto* change = std::get_if<ConfigurationEvent>(&event.what);
      if (change == nullptr) continue;
      const auto [at, fresh] = configurations.try_emplace(change->id, event.time);
      if (!fresh) at->second = std::min(at->second, event.time);
    }
  }
  figures.configurations = configurations.size();
  for (const auto& [from, to] : quiet_stretches(recording)) {
    figures.quiet_seconds += seconds(to - from);
    for (const auto& [ring, time] : configurations) {
      if (from < time && time < to) ++figures.spurious;
    }
  }
  for (const Fault& fault : recording.faults) {
    ++figures.faults[fault.kind];
    if (fault.kind == "kill") measure_kill(recording, fault, figures);
  }
  std::sort(figures.alone.seconds.begin(), figures.alone.seconds.end());
  std::sort(figures.together.seconds.begin(), figures.together.seconds.end());
  return figures;
}

}  // namespace ringcast::campaign
