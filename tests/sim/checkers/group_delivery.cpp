// SPDX-License-Identifier: Apache-2.0
//
// G5 between two common views of a group, all members see the same messages in the same order.
// G7 the same for those who came along together into a network view.
// G8 a message reaches only members of a group it names (or its private addressee), each once,
//    and not its sender when that asked for no echo.
#include <set>
#include <unordered_set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

using Name = std::pair<NodeId, std::string>;

/// Where a segment ends: the next view with the set that came along, somebody's leave, the end.
struct SegmentEnd {
  enum class Kind : std::uint8_t { view, network, leave, finish };
  Kind kind{Kind::view};
  ViewId view;
  std::set<Name> with_me;
  Name who;

  auto operator<=>(const SegmentEnd&) const = default;
};
using SegmentKey = std::tuple<std::string, ViewId, SegmentEnd>;

struct Segment {
  const SessionRecord* session{nullptr};
  std::vector<const Received*> messages;
};

struct Current {
  std::optional<ViewId> view;
  std::vector<const Received*> messages;
  bool signalled{false};  ///< a transitional signal came since the view
};

class GroupDeliveryCheck {
 public:
  GroupDeliveryCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {}

  void run() {
    for (const SessionRecord& session : history_.sessions) {
      walk(session);
    }
  }

 private:
  void walk(const SessionRecord& session) {
    session_ = &session;
    current_.clear();
    seen_.clear();
    for (const SessionEvent& event : session.events) {
      if (const auto* received = std::get_if<Received>(&event.what)) {
        on_received(*received);
      } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
        on_view(*view);
      } else if (const auto* signal = std::get_if<TransitionalEvent>(&event.what)) {
        const auto at = current_.find(signal->group);
        if (at != current_.end()) at->second.signalled = true;
      } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
        const Name me{session.node, session.name};
        // A leave has no view id that says in which transitional configuration it came; others
        // of the same view may be in another one and rightly see other messages.
        const auto at = current_.find(left->group);
        const bool comparable = at != current_.end() && !at->second.signalled;
        if (comparable) {
          finish(
              left->group, {.kind = SegmentEnd::Kind::leave, .view = {}, .with_me = {}, .who = me});
        }
        current_.erase(left->group);
      }
    }
    if (!history_.settled || session.end != SessionEnd::open) return;
    std::vector<std::string> open;
    for (const auto& [group, current] : current_) {
      open.push_back(group);
    }
    for (const std::string& group : open) {
      finish(group, {.kind = SegmentEnd::Kind::finish, .view = {}, .with_me = {}, .who = {}});
    }
  }

  void fail(const std::string& invariant, const std::string& what) {
    report_.fail(
        invariant,
        "client " + std::to_string(session_->client) + " " + to_string(session_->member()) + ": " +
            what);
  }

  std::string show(const Received& received) const {
    std::string text =
        history_.show(received.event.configuration) + " seq " +
        std::to_string(received.event.seq.value) + "/" + std::to_string(received.event.index) +
        " from #" + received.event.sender_name + "#" + history_.name_of(received.event.sender_node);
    if (received.payload) {
      text += " (client " + std::to_string(received.payload->id.client) + " no " +
              std::to_string(received.payload->id.number) + ")";
    }
    return text;
  }

  void on_received(const Received& received) {
    const Label label{
        .ring = received.event.configuration,
        .seq = received.event.seq,
        .index = received.event.index};
    if (!seen_.insert(label).second) fail("G8", "received " + show(received) + " twice");
    bool addressed = false;
    const std::string mine = to_string(session_->member());
    for (const std::string& group : received.event.groups) {
      addressed |= group == mine;
      const auto at = current_.find(group);
      if (at == current_.end()) continue;
      addressed = true;
      at->second.messages.push_back(&received);
    }
    if (!addressed) fail("G8", "received " + show(received) + " without being in a group of it");
    if (is_silent(received, *session_)) fail("G8", "received its own no-echo " + show(received));
  }

  /// Published without echo by that session.
  bool is_silent(const Received& received, const SessionRecord& session) const {
    const Published* publish = timeline_.publish_of(received.payload);
    return publish != nullptr && !publish->echo && publish->id.client == session.client;
  }

  void on_view(const ViewEvent& view) {
    if (current_.contains(view.group)) {
      SegmentEnd end{.kind = SegmentEnd::Kind::view, .view = view.id, .with_me = {}, .who = {}};
      if (view.cause == Cause::network) {
        end.kind = SegmentEnd::Kind::network;
        for (const Member& member : view.with_me) {
          end.with_me.insert({member.node, member.name});
        }
      }
      if (view.cause == Cause::leave && view.who.size() == 1 && !view.id.next) {
        const Name who{view.who[0].node, view.who[0].name};
        compare(
            view.group, {.kind = SegmentEnd::Kind::leave, .view = {}, .with_me = {}, .who = who});
      }
      finish(view.group, end);
    }
    Current& current = current_[view.group];
    current.view = view.id;
    current.messages.clear();
    current.signalled = false;
  }

  void finish(const std::string& group, const SegmentEnd& end) { compare(group, end); }

  void compare(const std::string& group, const SegmentEnd& end) {
    const auto at = current_.find(group);
    if (at == current_.end() || !at->second.view) return;
    const Segment mine{.session = session_, .messages = at->second.messages};
    const auto [first, fresh] = segments_.try_emplace({group, *at->second.view, end}, mine);
    if (fresh) return;
    const std::string difference = first_difference(first->second, mine);
    if (difference.empty()) return;
    fail(
        end.kind == SegmentEnd::Kind::network ? "G7" : "G5",
        "saw other messages of " + group + " than client " +
            std::to_string(first->second.session->client) + " " +
            to_string(first->second.session->member()) + " between the same views: " + difference);
  }

  /// Skips what one of the two did not get because it is its own and without echo.
  std::string first_difference(const Segment& a, const Segment& b) const {
    std::size_t i = 0;
    std::size_t j = 0;
    while (true) {
      while (i < a.messages.size() && is_silent(*a.messages[i], *b.session)) {
        ++i;
      }
      while (j < b.messages.size() && is_silent(*b.messages[j], *a.session)) {
        ++j;
      }
      if (i == a.messages.size() && j == b.messages.size()) return {};
      if (i == a.messages.size()) return "only here " + show(*b.messages[j]);
      if (j == b.messages.size()) return "only there " + show(*a.messages[i]);
      if (!same(*a.messages[i], *b.messages[j])) {
        return show(*a.messages[i]) + " there, " + show(*b.messages[j]) + " here";
      }
      ++i;
      ++j;
    }
  }

  static bool same(const Received& a, const Received& b) {
    if (a.payload && b.payload) {
      if (a.payload->id != b.payload->id) return false;
    }
    return a.event.configuration == b.event.configuration && a.event.seq == b.event.seq &&
           a.event.index == b.event.index && a.hash == b.hash &&
           a.event.transitional == b.event.transitional &&
           a.event.sender_node == b.event.sender_node &&
           a.event.sender_name == b.event.sender_name && a.event.groups == b.event.groups;
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  const SessionRecord* session_{nullptr};
  std::map<std::string, Current> current_;
  std::unordered_set<Label, HashOf> seen_;
  std::map<SegmentKey, Segment> segments_;
};

}  // namespace

void check_group_delivery(const Timeline& timeline, Report& report) {
  GroupDeliveryCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
