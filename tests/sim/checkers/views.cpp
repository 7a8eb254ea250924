// SPDX-License-Identifier: Apache-2.0
//
// G1 equal view ids, equal views: group, cause, who, members; the with_me sets of its
//    receivers are equal or disjoint.
// G2 the receiver is a member; members are ordered by ring order of daemons, then by name.
// G3 the cause is exact: join adds who, leave and disconnect remove who, network comes only
//    with a new configuration. Who is shown to leave asked to, or said goodbye; who is shown to
//    disconnect has no session any more.
// G4 a joiner's first view is its own join; after `left` nothing of the group follows.
// G6 a network view that removes or merges members follows exactly one transitional signal;
//    joins, leaves and disconnects follow none of their own.
// G9 every member of a view is on a daemon of the current configuration.
// G16 view numbers grow inside a configuration.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

/// Of a member in the history, which outlives it.
using Name = std::pair<NodeId, std::string_view>;

Name name_of(const Member& member) { return {member.node, member.name}; }

std::set<Name> names(const std::vector<Member>& members) {
  std::set<Name> result;
  for (const Member& member : members) {
    result.insert(name_of(member));
  }
  return result;
}

/// What is known of one group in one session while walking it.
struct Membership {
  const ViewEvent* view{nullptr};  ///< last one; null: not a member yet
  unsigned asked{0};               ///< joins that were not answered; one may wait behind a leave
  unsigned signals{0};             ///< since the last network view
  std::optional<RingId> configuration;  ///< of the session at the last view
};

class ViewCheck {
 public:
  ViewCheck(const Timeline& timeline, Report& report)
      : history_(timeline.history), report_(report) {}

  void run() {
    for (const SessionRecord& session : history_.sessions) {
      note_end(session);
    }
    for (const SessionRecord& session : history_.sessions) {
      walk(session);
    }
  }

 private:
  void walk(const SessionRecord& session) {
    session_ = &session;
    groups_.clear();
    configuration_.reset();
    last_id_.reset();
    for (const SessionEvent& event : session.events) {
      time_ = event.time;
      if (const auto* asked = std::get_if<AskedJoin>(&event.what)) {
        ++groups_[asked->group].asked;
      } else if (const auto* refused = std::get_if<Refused>(&event.what)) {
        on_refused(*refused);
      } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
        on_view(*view);
      } else if (const auto* signal = std::get_if<TransitionalEvent>(&event.what)) {
        on_signal(signal->group);
      } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
        on_left(left->group);
      } else if (const auto* change = std::get_if<ConfigurationEvent>(&event.what)) {
        configuration_ = *change;
      }
    }
  }

  /// Which causes the end of its memberships may have. A name may be used again.
  void note_end(const SessionRecord& session) {
    const Name name{session.node, session.name};
    if (session.end != SessionEnd::open) disconnected_.insert(name);
    if (session.end == SessionEnd::goodbye) left_all_.insert(name);
    for (const SessionEvent& event : session.events) {
      if (const auto* asked = std::get_if<AskedLeave>(&event.what)) {
        left_.insert({name, asked->group});
      }
    }
  }

  std::string show(const ViewId& id) const {
    std::string text = history_.show(id.configuration);
    if (id.next) text += "~" + history_.show(*id.next);
    return text + "/" + std::to_string(id.number);
  }

  void fail(const std::string& invariant, const std::string& what) {
    report_.fail(
        invariant,
        "client " + std::to_string(session_->client) + " " + to_string(session_->member()) +
            " at " + sim::show(time_) + ": " + what);
  }

  void on_signal(const std::string& group) {
    Membership& membership = groups_[group];
    if (membership.view == nullptr) {
      fail("G4", "transitional signal of " + group + " before its join");
    }
    ++membership.signals;
    if (membership.signals > 1) fail("G6", "second transitional signal of " + group);
  }

  void on_refused(const Refused& refused) {
    const bool of_join = refused.code != Errc::not_member && !refused.subject.empty();
    unsigned& asked = groups_[refused.subject].asked;
    if (of_join && asked > 0) --asked;
  }

  void on_left(const std::string& group) {
    Membership& membership = groups_[group];
    if (membership.view == nullptr) fail("G4", "left " + group + " without being in it");
    const unsigned asked = membership.asked;
    membership = Membership{};
    membership.asked = asked;
  }

  void on_view(const ViewEvent& view) {
    Membership& membership = groups_[view.group];
    const std::string what = "view " + show(view.id) + " of " + view.group + " (" +
                             std::string(to_string(view.cause)) + ")";
    if (membership.view == nullptr && membership.asked-- == 0) {
      membership.asked = 0;
      fail("G4", what + " while not joined");
    }
    check_table(what, view);
    check_members(what, view);
    check_position(what, view);
    if (membership.view == nullptr) {
      check_first(what, view);
    } else if (view.cause == Cause::network) {
      check_network(what, *membership.view, membership, view);
    } else {
      check_single(what, *membership.view, view);
    }
    if (view.cause == Cause::network) membership.signals = 0;
    membership.view = &view;
    if (configuration_) membership.configuration = configuration_->id;
  }

  void check_table(const std::string& what, const ViewEvent& view) {
    const auto [at, fresh] = views_.try_emplace(view.id, &view);
    const ViewEvent& first = *at->second;
    if (!fresh && (first.group != view.group || first.cause != view.cause ||
                   first.members != view.members || first.who != view.who)) {
      fail("G1", what + " differs from what another member saw under this id");
    }
    std::set<Name> mine = names(view.with_me);
    if (!mine.contains({session_->node, session_->name})) fail("G1", what + " came without me");
    const std::set<Name> members = names(view.members);
    if (!std::includes(members.begin(), members.end(), mine.begin(), mine.end())) {
      fail("G1", what + " came with a stranger");
    }
    std::vector<std::set<Name>>& known = companies_[view.id];
    if (std::find(known.begin(), known.end(), mine) != known.end()) return;
    for (const std::set<Name>& other : known) {
      const bool overlaps = std::any_of(
          mine.begin(), mine.end(), [&](const Name& name) { return other.contains(name); });
      if (overlaps) {
        fail("G1", what + ": sets of members that came along overlap without being equal");
      }
    }
    known.push_back(std::move(mine));
  }

  void check_members(const std::string& what, const ViewEvent& view) {
    bool sorted = true;
    for (std::size_t i = 1; i < view.members.size(); ++i) {
      sorted &= name_of(view.members[i - 1]) < name_of(view.members[i]);
    }
    if (!sorted) fail("G2", what + " with members out of order");
    if (!names(view.members).contains({session_->node, session_->name})) {
      fail("G2", what + " without its receiver");
    }
  }

  void check_position(const std::string& what, const ViewEvent& view) {
    if (!configuration_) {
      fail("G9", what + " before any configuration");
      return;
    }
    if (view.id.configuration != configuration_->id) {
      fail("G9", what + " while in configuration " + history_.show(configuration_->id));
    }
    const std::set<NodeId> daemons(configuration_->daemons.begin(), configuration_->daemons.end());
    for (const Member& member : view.members) {
      if (!daemons.contains(member.node)) {
        fail(
            "G9",
            what + " with #" + member.name + "#" + history_.name_of(member.node) +
                ", whose daemon is not in " + history_.show(configuration_->id));
      }
    }
    if (last_id_ && last_id_->configuration == view.id.configuration &&
        last_id_->next == view.id.next && last_id_->number >= view.id.number) {
      fail("G16", what + " after " + show(*last_id_));
    }
    last_id_ = view.id;
  }

  void check_first(const std::string& what, const ViewEvent& view) {
    if (view.cause != Cause::join || !names(view.who).contains({session_->node, session_->name})) {
      fail("G4", what + " first; it must be the receiver's own join");
    }
  }

  void check_single(const std::string& what, const ViewEvent& before, const ViewEvent& view) {
    std::set<Name> expected = names(before.members);
    for (const Name& who : names(view.who)) {
      const bool change =
          view.cause == Cause::join ? expected.insert(who).second : expected.erase(who) > 0;
      if (!change) fail("G3", what + " of somebody for whom it changes nothing");
    }
    for (const Name& who : names(view.who)) {
      const bool may_leave = left_all_.contains(who) || left_.contains({who, view.group});
      if (view.cause == Cause::leave && !may_leave) fail("G3", what + " of one who did not ask");
      if (view.cause == Cause::disconnect && !disconnected_.contains(who)) {
        fail("G3", what + " of one whose session goes on");
      }
    }
    if (view.who.size() != 1) fail("G3", what + " of " + std::to_string(view.who.size()));
    if (names(view.members) != expected) fail("G3", what + " changes more than who says");
  }

  void check_network(
      const std::string& what,
      const ViewEvent& before,
      const Membership& membership,
      const ViewEvent& view) {
    if (!view.who.empty()) fail("G3", what + " names somebody");
    if (configuration_ && membership.configuration == configuration_->id) {
      fail("G3", what + " without a new configuration");
    }
    const std::set<Name> old_names = names(before.members);
    const std::set<Name> new_names = names(view.members);
    for (const Name& name : names(view.with_me)) {
      if (!old_names.contains(name)) fail("G7", what + " came with one who was not there before");
    }
    const auto is_ours = [&](const Name& name) { return name.first == session_->node; };
    for (const Name& name : old_names) {
      if (is_ours(name) && !new_names.contains(name)) {
        fail("G3", what + " lost a member of our daemon");
      }
    }
    for (const Name& name : new_names) {
      if (is_ours(name) && !old_names.contains(name)) {
        fail("G3", what + " gained a member of our daemon");
      }
    }
    if (membership.signals == 0) fail("G6", what + " without a transitional signal");
  }

  const History& history_;
  Report& report_;
  const SessionRecord* session_{nullptr};
  Instant time_;
  std::map<std::string, Membership> groups_;
  std::optional<ConfigurationEvent> configuration_;
  std::optional<ViewId> last_id_;
  std::set<Name> disconnected_;
  std::set<Name> left_all_;
  std::set<std::pair<Name, std::string>> left_;
  std::map<ViewId, const ViewEvent*> views_;
  std::map<ViewId, std::vector<std::set<Name>>> companies_;  ///< that came along together
};

}  // namespace

void check_views(const Timeline& timeline, Report& report) { ViewCheck{timeline, report}.run(); }

}  // namespace ringcast::sim
