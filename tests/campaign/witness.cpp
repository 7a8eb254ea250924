// SPDX-License-Identifier: Apache-2.0
#include "campaign/witness.hpp"

#include <algorithm>

namespace ringcast::campaign {

namespace {

class Cutter {
 public:
  Cutter(const sim::SessionRecord& session, const std::set<std::string>& groups)
      : session_(session), groups_(groups) {}

  std::vector<Segment> run() {
    for (at_ = 0; at_ < session_.events.size(); ++at_) {
      take(session_.events[at_]);
    }
    return std::move(segments_);
  }

 private:
  void take(const sim::SessionEvent& event) {
    if (const auto* change = std::get_if<ConfigurationEvent>(&event.what)) {
      begin(*change, event.time);
    } else if (const auto* received = std::get_if<sim::Received>(&event.what)) {
      if (segments_.empty()) return;
      // Behind the transitional signal that a departure gives at once, all is transitional.
      const bool transitional = in_transition_ || received->event.transitional;
      in_transition_ = transitional;
      Segment& segment = segments_.back();
      (transitional ? segment.transitional : segment.regular).emplace_back(event.time, received);
    } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
      joined_.insert(view->group);
      if (view->id.next) in_transition_ = true;
    } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
      joined_.erase(left->group);
    } else if (const auto* signal = std::get_if<TransitionalEvent>(&event.what)) {
      if (!is_late(*signal)) in_transition_ = true;
    }
  }

  void begin(const ConfigurationEvent& change, Instant time) {
    if (!segments_.empty()) segments_.back().companions = find_companions(change);
    Segment segment;
    segment.ring = change.id;
    segment.daemons = change.daemons;
    segment.began = time;
    segment.in_all_groups =
        std::includes(joined_.begin(), joined_.end(), groups_.begin(), groups_.end());
    segments_.push_back(std::move(segment));
    in_transition_ = false;
  }

  /// The signal that comes immediately before a network view, for those who had none before.
  bool is_late(const TransitionalEvent& signal) const {
    if (at_ + 1 >= session_.events.size()) return true;
    const auto* view = std::get_if<ViewEvent>(&session_.events[at_ + 1].what);
    return view != nullptr && view->group == signal.group && view->cause == Cause::network;
  }

  /// The network views, one per affected group, follow the configuration directly. Without one
  /// for a group, all of its members came along.
  std::optional<std::set<NodeId>> find_companions(const ConfigurationEvent& change) const {
    if (groups_.empty() || !joined_.contains(*groups_.begin())) return std::nullopt;
    for (std::size_t i = at_ + 1; i < session_.events.size(); ++i) {
      const auto& what = session_.events[i].what;
      if (std::holds_alternative<TransitionalEvent>(what)) continue;
      const auto* view = std::get_if<ViewEvent>(&what);
      if (view == nullptr || view->cause != Cause::network) {
        return std::set<NodeId>(change.daemons.begin(), change.daemons.end());
      }
      if (view->group != *groups_.begin()) continue;
      std::set<NodeId> companions;
      for (const Member& member : view->with_me) {
        companions.insert(member.node);
      }
      return companions;
    }
    return std::nullopt;
  }

  const sim::SessionRecord& session_;
  const std::set<std::string>& groups_;
  std::vector<Segment> segments_;
  std::set<std::string> joined_;
  std::size_t at_{0};
  bool in_transition_{false};
};

}  // namespace

std::vector<Segment> cut(const sim::SessionRecord& session, const std::set<std::string>& groups) {
  return Cutter{session, groups}.run();
}

bool is_to_a_group(std::span<const std::string> groups) {
  return std::any_of(groups.begin(), groups.end(), [](const std::string& group) {
    return !group.empty() && group.front() != '#';
  });
}

}  // namespace ringcast::campaign
