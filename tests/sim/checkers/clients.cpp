// SPDX-License-Identifier: Apache-2.0
//
// C1 a client sees its daemon's order, restricted to what is addressed to it: nothing is
//    dropped, doubled, reordered or changed on the way from daemon to client. "Addressed to it"
//    begins and ends at the places where its daemon handed up its join and its leave.
//    Questions (status, groups, ping) are answered in turn.
// C2 a session ends with a stated reason, or with its daemon; never silently.
// C5 of what a session asked a first part was carried out and the rest was not, wherever its
//    client broke off: no publish is delivered after one that was not, refused ones aside.
// E24 each publish is confirmed once, in order, with the place it was delivered at; a refused
//    one is not delivered.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

/// What one daemon process delivered, by place in its own order.
struct DaemonOrder {
  std::unordered_map<Label, std::pair<std::size_t, const Delivered*>, HashOf> by_label;
  std::map<std::string, std::vector<std::size_t>> addressed;  ///< destination -> places
  std::vector<const Delivered*> all;
  std::vector<const Published*> publishes;  ///< by place; may be null
  /// Joins and leaves of its own sessions.
  std::map<std::pair<SessionId, std::string>, std::vector<std::size_t>> joins;
  std::map<std::pair<SessionId, std::string>, std::vector<std::size_t>> leaves;
};

class ClientCheck {
 public:
  ClientCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {
    orders_.resize(timeline.epochs.size());
    for (ProcessIndex p = 0; p < orders_.size(); ++p) {
      collect(p);
    }
    number_sessions();
  }

  void run() {
    for (const SessionRecord& session : history_.sessions) {
      session_ = &session;
      check_end();
      check_confirmations();
      check_first_part();
      if (session.process) check_received(orders_[*session.process]);
    }
  }

 private:
  void collect(ProcessIndex p) {
    DaemonOrder& order = orders_[p];
    for (const Epoch& epoch : timeline_.epochs[p]) {
      for (const Delivered* delivered : epoch.deliveries) {
        const std::size_t place = order.all.size();
        order.all.push_back(delivered);
        order.by_label.try_emplace(delivered->label, place, delivered);
        const MessageRecord& record = history_.messages[delivered->message];
        if (record.change && record.originator == history_.processes[p].node) {
          auto& places = record.change->is_join ? order.joins : order.leaves;
          places[{record.change->session, record.change->group}].push_back(place);
        }
        const Published* publish = timeline_.publish_of(record.payload);
        order.publishes.push_back(publish);
        if (publish == nullptr) continue;
        delivered_.insert(publish);
        for (const std::string& group : publish->groups) {
          std::vector<std::size_t>& places = order.addressed[group];
          if (places.empty() || places.back() != place) places.push_back(place);
        }
      }
    }
  }

  /// Clients are not told their session's number. Sessions of one name follow one another, so it
  /// can be counted, unless one of them ended before its client knew its name.
  void number_sessions() {
    using Key = std::pair<ProcessIndex, std::string>;
    std::map<Key, std::vector<std::uint64_t>> clients;
    for (const SessionRecord& session : history_.sessions) {
      if (session.process && !session.name.empty()) {
        clients[{*session.process, session.name}].push_back(session.client);
      }
    }
    std::map<Key, std::vector<SessionId>> numbers;
    for (ProcessIndex p = 0; p < history_.processes.size(); ++p) {
      for (const SessionChange& change : history_.processes[p].sessions) {
        if (change.opened) numbers[{p, change.name}].push_back(change.session);
      }
    }
    for (const auto& [key, of_name] : clients) {
      const std::vector<SessionId>& opened = numbers[key];
      if (opened.size() != of_name.size()) continue;
      for (std::size_t i = 0; i < opened.size(); ++i) {
        numbers_[of_name[i]] = opened[i];
      }
    }
  }

  void fail(const std::string& invariant, const std::string& what) {
    report_.fail(
        invariant,
        "client " + std::to_string(session_->client) + " " + to_string(session_->member()) + ": " +
            what);
  }

  void check_end() {
    const SessionRecord& session = *session_;
    const bool daemon_ended =
        !session.process || history_.processes[*session.process].ended.has_value();
    if (session.end == SessionEnd::closed && session.reason.empty()) {
      fail("C2", "closed without a reason");
    }
    // To a client that reads too slowly, the reason may not have fitted into its socket any more.
    if (session.end == SessionEnd::lost && !daemon_ended && !session.cut_off) {
      fail("C2", "lost its connection though its daemon runs");
    }
    for (const std::uint64_t number : session.wrong_answers) {
      fail(
          "C1",
          "got an answer to " + std::to_string(number) + " that is not the next it asked for");
    }
  }

  // E24.
  void check_confirmations() {
    std::map<std::uint64_t, const Published*> waiting;
    std::uint64_t last = 0;
    for (const SessionEvent& event : session_->events) {
      if (const auto* publish = std::get_if<Published>(&event.what)) {
        waiting[publish->ticket] = publish;
      } else if (const auto* refused = std::get_if<Refused>(&event.what)) {
        check_refused(waiting, *refused);
      } else if (const auto* confirm = std::get_if<ConfirmEvent>(&event.what)) {
        if (confirm->ticket <= last) {
          fail(
              "E24",
              "confirmation " + std::to_string(confirm->ticket) + " after " + std::to_string(last));
        }
        last = confirm->ticket;
        check_confirmed(waiting, *confirm);
      }
    }
  }

  void check_refused(
      const std::map<std::uint64_t, const Published*>& waiting, const Refused& refused) {
    const auto at = waiting.find(refused.about);
    if (refused.about == 0 || at == waiting.end()) return;
    for (const DaemonOrder& order : orders_) {
      if (std::find(order.publishes.begin(), order.publishes.end(), at->second) !=
          order.publishes.end()) {
        fail("E24", "publish " + std::to_string(refused.about) + " was refused and delivered");
        return;
      }
    }
  }

  void check_confirmed(
      const std::map<std::uint64_t, const Published*>& waiting, const ConfirmEvent& confirm) {
    const auto at = waiting.find(confirm.ticket);
    const std::string what = "confirmation " + std::to_string(confirm.ticket);
    if (at == waiting.end()) {
      fail("E24", what + " of nothing that was published");
      return;
    }
    const Published& publish = *at->second;
    if (!publish.confirm) fail("E24", what + " though none was asked for");
    if (confirm.stable != (publish.service == Service::safe)) {
      fail("E24", what + " with stable wrong for its service");
    }
    if (!session_->process) return;
    const DaemonOrder& order = orders_[*session_->process];
    const auto delivered = order.by_label.find(
        {.ring = confirm.configuration, .seq = confirm.seq, .index = confirm.index});
    if (delivered == order.by_label.end()) {
      fail("E24", what + " of a place where its daemon delivered nothing");
      return;
    }
    const auto& [place, message] = delivered->second;
    if (message->transitional != confirm.transitional) {
      fail("E24", what + " with transitional wrong");
    }
    const bool identified = publish.size >= identified_payload_bytes_min;
    if (identified && order.publishes[place] != &publish) {
      fail("E24", what + " with the place of " + history_.describe(message->message));
    }
  }

  // C5. Of a payload that does not say whose it is nobody can tell whether it was delivered.
  void check_first_part() {
    std::set<std::uint64_t> refused;
    for (const SessionEvent& event : session_->events) {
      if (const auto* refusal = std::get_if<Refused>(&event.what)) refused.insert(refusal->about);
    }
    const Published* missing = nullptr;
    for (const SessionEvent& event : session_->events) {
      const auto* publish = std::get_if<Published>(&event.what);
      if (publish == nullptr || refused.contains(publish->ticket)) continue;
      if (publish->size < identified_payload_bytes_min) continue;
      const std::size_t most = history_.message_bytes_max;
      if (most > 0 && publish->size > most) continue;  // it may not have heard of its refusal
      if (!delivered_.contains(publish)) {
        if (missing == nullptr) missing = publish;
      } else if (missing != nullptr) {
        fail(
            "C5",
            "publish " + std::to_string(publish->id.number) + " was delivered, but not " +
                std::to_string(missing->id.number) + " before it");
        return;
      }
    }
  }

  /// The place of its `nth` join or leave of a group, when that is known.
  std::optional<std::size_t> place_of(
      const std::map<std::pair<SessionId, std::string>, std::vector<std::size_t>>& changes,
      const std::string& group,
      std::size_t nth) const {
    const auto number = numbers_.find(session_->client);
    if (number == numbers_.end()) return std::nullopt;
    const auto places = changes.find({number->second, group});
    if (places == changes.end() || nth >= places->second.size()) return std::nullopt;
    return places->second[nth];
  }

  // C1.
  void check_received(const DaemonOrder& order) {
    std::optional<std::size_t> last;
    std::optional<std::size_t> first;
    std::unordered_set<std::size_t> got;
    std::map<std::string, std::optional<std::size_t>> member_from;
    std::map<std::string, std::size_t> stays;  // how often it was in a group before
    for (const SessionEvent& event : session_->events) {
      if (const auto* received = std::get_if<Received>(&event.what)) {
        const std::optional<std::size_t> place = check_place(order, *received, last);
        if (!place) continue;
        last = place;
        if (!first) first = place;
        got.insert(*place);
        for (const std::string& group : received->event.groups) {
          const auto at = member_from.find(group);
          if (at != member_from.end() && !at->second) at->second = place;
        }
      } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
        if (!member_from.contains(view->group)) {
          member_from[view->group] = place_of(order.joins, view->group, stays[view->group]);
        }
      } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
        const auto end = place_of(order.leaves, left->group, stays[left->group]++);
        check_nothing_missing(order, left->group, member_from[left->group], end ? end : last, got);
        member_from.erase(left->group);
      }
    }
    if (history_.settled && session_->end == SessionEnd::open && !order.all.empty()) {
      last = order.all.size() - 1;
    }
    member_from[to_string(session_->member())] = first;
    for (const auto& [group, from] : member_from) {
      check_nothing_missing(order, group, from, last, got);
    }
  }

  std::optional<std::size_t> check_place(
      const DaemonOrder& order, const Received& received, std::optional<std::size_t> last) {
    const ReceivedMessage& event = received.event;
    const std::string what = "received " + history_.show(event.configuration) + " seq " +
                             std::to_string(event.seq.value) + "/" + std::to_string(event.index);
    if (received.payload && !received.payload->intact) fail("C1", what + " incomplete or changed");
    const auto at =
        order.by_label.find({.ring = event.configuration, .seq = event.seq, .index = event.index});
    if (at == order.by_label.end()) {
      fail("C1", what + ", which its daemon did not deliver");
      return std::nullopt;
    }
    const auto& [place, delivered] = at->second;
    const auto& expected = history_.messages[delivered->message].payload;
    const bool same = expected.has_value() == received.payload.has_value() &&
                      (!expected || expected->id == received.payload->id);
    if (!same) fail("C1", what + " with the content of another message");
    if (delivered->transitional != event.transitional || delivered->service != event.service ||
        delivered->originator != event.sender_node) {
      fail("C1", what + " with another sender, service or transitional flag");
    }
    if (const Published* publish = order.publishes[place]; publish != nullptr) {
      if (publish->groups != event.groups) fail("C1", what + " with other groups than published");
      if (history_.session(publish->id.client).name != event.sender_name) {
        fail("C1", what + " under another sender's name");
      }
    }
    if (last && place <= *last) fail("C1", what + " out of its daemon's order");
    return place;
  }

  /// Everything addressed to `group` between two places must have been received.
  void check_nothing_missing(
      const DaemonOrder& order,
      const std::string& group,
      std::optional<std::size_t> from,
      std::optional<std::size_t> to,
      const std::unordered_set<std::size_t>& got) {
    const auto addressed = order.addressed.find(group);
    if (!from || !to || addressed == order.addressed.end()) return;
    const std::vector<std::size_t>& places = addressed->second;
    auto at = std::lower_bound(places.begin(), places.end(), *from);
    for (; at != places.end() && *at <= *to; ++at) {
      const Published& publish = *order.publishes[*at];
      if (!publish.echo && publish.id.client == session_->client) continue;
      if (got.contains(*at)) continue;
      fail("C1", "did not receive " + history_.describe(order.all[*at]->message) + " to " + group);
    }
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  const SessionRecord* session_{nullptr};
  std::vector<DaemonOrder> orders_;
  std::unordered_set<const Published*> delivered_;  ///< anywhere
  std::map<std::uint64_t, SessionId> numbers_;      ///< by client
};

}  // namespace

void check_clients(const Timeline& timeline, Report& report) {
  ClientCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
