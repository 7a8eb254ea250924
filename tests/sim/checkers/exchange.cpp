// SPDX-License-Identifier: Apache-2.0
//
// What a change of configuration does to groups:
// G11 one view of a group per network event, however many daemons went and came.
// G12 who was left behind sees it: when a transitional configuration left out the daemon of a
//     member, the next view of the group in a regular one is a network view in which nobody of
//     that daemon came along, though it be in the view again.
// G13 nothing of a cut-off exchange is used: the network views of a configuration hold exactly
//     those sessions that were members by their own daemons when the configuration was complete.
// G14 no message of a configuration reaches a client before its exchange has completed.
#include <algorithm>
#include <set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

using Name = std::pair<NodeId, std::string>;

/// A network view, with the session that saw it.
struct NetworkView {
  const ViewEvent* view{nullptr};
  const SessionRecord* session{nullptr};
};

struct Membership {
  const ViewEvent* view{nullptr};
  std::set<NodeId> left_behind;  ///< daemons that must not have come along into the next view
};

class ExchangeCheck {
 public:
  ExchangeCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {}

  void run() {
    for (const SessionRecord& session : history_.sessions) {
      if (session.name.empty() || !session.process) continue;
      walk(session);
    }
    for (const auto& [id, network] : network_views_) {
      check_members(*network.view, *network.session);
    }
  }

 private:
  void walk(const SessionRecord& session) {
    session_ = &session;
    groups_.clear();
    told_.clear();
    network_.clear();
    next_epoch_ = 0;
    for (const SessionEvent& event : session.events) {
      if (const auto* change = std::get_if<ConfigurationEvent>(&event.what)) {
        on_configuration(*change);
      } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
        on_view(*view);
      } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
        groups_.erase(left->group);
      } else if (const auto* received = std::get_if<Received>(&event.what)) {
        check_gate(received->event.configuration, "a message");
      } else if (const auto* confirm = std::get_if<ConfirmEvent>(&event.what)) {
        check_gate(confirm->configuration, "a confirmation");
      }
    }
    if (!history_.settled || session.end != SessionEnd::open) return;
    pass_epochs(RingId{}, true);
    for (const auto& [group, membership] : groups_) {
      if (!membership.left_behind.empty()) {
        fail("G12", "was never told who did not come along in " + group);
      }
    }
  }

  void fail(const std::string& invariant, const std::string& what) {
    report_.fail(
        invariant,
        "client " + std::to_string(session_->client) + " " + to_string(session_->member()) + ": " +
            what);
  }

  void check_gate(const RingId& configuration, const std::string& what) {
    if (told_.contains(configuration)) return;
    fail(
        "G14", "got " + what + " of " + history_.show(configuration) + " before that was complete");
  }

  void on_configuration(const ConfigurationEvent& change) {
    told_.insert(change.id);
    network_.clear();
    // Nothing a client asks can be ordered between a change and its completion.
    std::set<std::string>& mine = members_[change.id][session_];
    for (const auto& [group, membership] : groups_) {
      mine.insert(group);
    }
  }

  /// Daemons that a transitional configuration leaves out stay behind in every group.
  void pass_epochs(const RingId& until, bool all) {
    const std::vector<Epoch>& epochs = timeline_.epochs[*session_->process];
    for (; next_epoch_ < epochs.size(); ++next_epoch_) {
      const Epoch& epoch = epochs[next_epoch_];
      if (epoch.configuration == nullptr) continue;
      if (!all && until < epoch.configuration->id) return;
      if (!epoch.transitional()) continue;
      for (auto& [group, membership] : groups_) {
        note_left_behind(membership, epoch.configuration->members);
      }
    }
  }

  static void note_left_behind(Membership& membership, const std::vector<NodeKey>& along) {
    for (const Member& member : membership.view->members) {
      const bool is_along = std::any_of(
          along.begin(), along.end(), [&](const NodeKey& key) { return key.node == member.node; });
      if (!is_along) membership.left_behind.insert(member.node);
    }
  }

  void on_view(const ViewEvent& view) {
    const std::string what = "view " + std::to_string(view.id.number) + " of " + view.group +
                             " in " + history_.show(view.id.configuration);
    // A view of a transitional configuration is named by the regular one before it.
    pass_epochs(view.id.configuration, false);
    const bool is_network = view.cause == Cause::network;
    if (is_network && !network_.insert(view.group).second) {
      fail("G11", what + " is a second one for the same change");
    }
    if (is_network) network_views_.try_emplace(view.id, NetworkView{&view, session_});
    Membership& membership = groups_[view.group];
    if (!view.id.next && !membership.left_behind.empty()) {
      if (!is_network) fail("G12", what + " came before it was told who stayed behind");
      for (const Member& member : view.with_me) {
        if (membership.left_behind.contains(member.node)) {
          fail("G12", what + " counts #" + member.name + " among those who came along");
        }
      }
      membership.left_behind.clear();
    }
    membership.view = &view;
  }

  // G13.
  void check_members(const ViewEvent& view, const SessionRecord& seen_by) {
    session_ = &seen_by;
    const auto configuration = members_.find(view.id.configuration);
    if (configuration == members_.end()) return;
    std::set<Name> listed;
    for (const Member& member : view.members) {
      listed.insert({member.node, member.name});
    }
    for (const auto& [session, groups] : configuration->second) {
      const Name name{session->node, session->name};
      const bool is_member = groups.contains(view.group);
      if (is_member == listed.contains(name)) continue;
      if (!is_member && had_namesake(*session)) continue;
      fail(
          "G13",
          "network view of " + view.group + " in " + history_.show(view.id.configuration) +
              (is_member ? " without " : " with ") + to_string(session->member()) + ", who is " +
              (is_member ? "" : "not ") + "a member at home");
    }
  }

  /// An earlier session of that name stays a member until its disconnect was ordered. [GRP-11]
  bool had_namesake(const SessionRecord& session) {
    if (namesakes_.empty()) {
      for (const SessionRecord& other : history_.sessions) {
        ++namesakes_[{other.node, other.name}];
      }
    }
    return namesakes_[{session.node, session.name}] > 1;
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  const SessionRecord* session_{nullptr};
  std::size_t next_epoch_{0};
  std::map<std::string, Membership> groups_;
  std::set<RingId> told_;
  std::set<std::string> network_;  ///< groups with a network view in this configuration
  std::map<ViewId, NetworkView> network_views_;
  std::map<RingId, std::map<const SessionRecord*, std::set<std::string>>> members_;
  std::map<Name, std::size_t> namesakes_;
};

}  // namespace

void check_exchange(const Timeline& timeline, Report& report) {
  ExchangeCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
