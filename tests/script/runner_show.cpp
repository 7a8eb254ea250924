// SPDX-License-Identifier: Apache-2.0
//
// What the transcript says: one sentence per event, the same on every run.
#include <algorithm>
#include <cctype>
#include <utility>

#include "script/runner.hpp"
#include "script/words.hpp"

namespace ringcast::script {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

/// "/0000001f" or ".0000001f": a boot id.
bool is_boot_id(std::string_view text) {
  if (text.size() < 9 || (text[0] != '/' && text[0] != '.')) return false;
  return std::all_of(
      text.begin() + 1, text.begin() + 9, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string shorten(std::span<const std::byte> payload) {
  constexpr std::size_t shown_max = 40;
  std::string text;
  for (const std::byte byte : payload.first(std::min(payload.size(), shown_max + 1))) {
    text += static_cast<char>(byte);
  }
  const bool printable =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isprint(c) != 0; });
  if (!printable || text.size() > shown_max) return std::to_string(payload.size()) + " bytes";
  return '"' + text + '"';
}

}  // namespace

void Runner::say(const std::string& who, const std::string& what) {
  if (quiet_) return;
  last_line_ = cluster_->now();
  const auto since = cluster_->now() - began_;
  const std::int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  for (Line& line : lines_) {
    if (line.millisecond == ms && line.what == what) {
      line.who.insert(who);
      return;
    }
  }
  lines_.push_back({.millisecond = ms, .who = {who}, .what = what});
}

void Runner::complain(const std::string& what) {
  lines_.push_back({.millisecond = 0, .who = {"!"}, .what = what});
}

std::vector<std::string> Runner::transcript() const {
  std::vector<std::string> result;
  for (const Line& line : lines_) {
    std::string time = "t=+" + std::to_string(line.millisecond) + "ms";
    std::string who;
    for (const std::string& name : line.who) {
      who += (who.empty() ? "" : ",") + name;
    }
    if (line.who.size() > names_max) who = std::to_string(line.who.size()) + " of them";
    time.resize(std::max<std::size_t>(time.size() + 2, 10), ' ');
    who.resize(std::max<std::size_t>(who.size() + 2, 7), ' ');
    result.push_back(time + who + line.what);
  }
  return result;
}

std::string Runner::plain(std::string text) const {
  text = recorder_->with_names(std::move(text));
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_boot_id(std::string_view{text}.substr(at))) text.erase(at, 9);
  }
  return text;
}

std::string Runner::show(const RingId& ring) const {
  return std::to_string(ring.seq) + "." + recorder_->history.name_of(ring.representative);
}

std::string Runner::show(const ViewId& id) const {
  std::string text = show(id.configuration);
  if (id.next) text += "~" + show(*id.next);
  return text + "/" + std::to_string(id.number);
}

std::string Runner::show(const std::vector<Member>& members) const {
  std::string text;
  for (const Member& member : members) {
    text += (text.empty() ? "" : ",") + member.name + "@" + recorder_->history.name_of(member.node);
  }
  return "{" + text + "}";
}

bool Runner::is_wanted(const std::string& kind) const {
  const auto from = shown_.lower_bound(kind);
  const auto has_kind = [&](const std::string& shown) {
    return shown == kind || shown.rfind(kind + ":", 0) == 0;
  };
  return std::any_of(from, shown_.end(), has_kind) ||
         std::any_of(triggers_.begin(), triggers_.end(), [&](const Trigger& trigger) {
           return !trigger.done && trigger.kind == kind;
         });
}

bool Runner::is_shown(const std::string& kind, const std::string& text) const {
  if (shown_.contains(kind)) return true;
  return std::any_of(shown_.begin(), shown_.end(), [&](const std::string& shown) {
    return shown.rfind(kind + ":", 0) == 0 &&
           text.find(shown.substr(kind.size() + 1)) != std::string::npos;
  });
}

void Runner::on_trace(std::size_t host, const TraceEvent& event) {
  const std::string kind(to_string(event.kind));
  const std::string text = plain(event.text);
  on_event(host, kind, text);
  if (!is_shown(kind, text)) return;
  const std::string prefix = event.kind == TraceKind::state_entered ? "" : kind + "  ";
  say(cluster_->name(host), prefix + text);
}

void Runner::on_ordered(std::size_t host, const OrderedEvent& event) {
  if (const auto* change = std::get_if<ConfigurationChange>(&event)) {
    std::vector<std::string> members;
    for (const NodeKey& key : change->members) {
      members.push_back(recorder_->history.name_of(key.node));
    }
    const bool transitional = change->kind == ConfigurationChange::Kind::transitional;
    const std::string kind = transitional ? "transitional" : "regular";
    const std::string from = transitional ? show(change->previous) + "~" : "";
    const std::string text = from + show(change->id) + " " + in_braces(members);
    if (shown_.contains(kind)) say(cluster_->name(host), kind + " " + text);
    on_event(host, kind, text);
    return;
  }
  if (!shown_.contains("deliver")) return;
  const auto& message = std::get<OrderedMessage>(event);
  say(cluster_->name(host),
      "deliver " + show(message.configuration) + " seq " + std::to_string(message.seq.value) +
          " of " + recorder_->history.name_of(message.originator) + " " +
          std::string(to_string(message.service)) + (message.transitional ? " transitional" : ""));
}

std::string Runner::show_message(const MessageFrame& frame) const {
  const MessageEvent& event = frame.event;
  std::string groups;
  for (const std::string_view group : event.groups) {
    groups += (groups.empty() ? "" : ",") + std::string(group);
  }
  const auto identified = sim::look_into(frame.payload).payload;
  std::string text = identified ? std::to_string(frame.payload.size()) + " bytes" +
                                      (identified->intact ? "" : ", damaged")
                                : shorten(frame.payload);
  return "message " + text + " to " + groups + " from " + std::string(event.sender_name) + "@" +
         recorder_->history.name_of(event.sender_node) + " " +
         std::string(to_string(event.service)) + (event.transitional ? ", transitional" : "");
}

void Runner::on_frame(const std::string& label, const ServerFrame& frame) {
  const auto when = [&](const char* kind, const std::string& text) {
    if (shown_.contains(kind)) say(label, text);
  };
  std::visit(
      Overloaded{
          [&](const MessageFrame& message) { when("message", show_message(message)); },
          [&](const ViewEvent& view) {
            std::string text = "view " + show(view.id) + " of " + view.group + " " +
                               std::string(to_string(view.cause));
            if (!view.who.empty()) text += " " + show(view.who);
            text += " -> " + show(view.members);
            if (view.cause == Cause::network) text += " came with " + show(view.with_me);
            when("view", text);
          },
          [&](const TransitionalEvent& signal) {
            when("view", "transitional signal of " + signal.group);
          },
          [&](const LeftEvent& left) { when("view", "left " + left.group); },
          [&](const ConfigurationEvent& change) {
            std::vector<std::string> daemons;
            for (const NodeId node : change.daemons) {
              daemons.push_back(recorder_->history.name_of(node));
            }
            when("view", "configuration " + show(change.id) + " " + in_braces(daemons));
          },
          [&](const ConfirmEvent& confirm) {
            when(
                "confirm",
                "confirmed " + std::to_string(confirm.ticket) + (confirm.stable ? " stable" : "") +
                    (confirm.transitional ? " transitional" : ""));
          },
          [&](const RefusedFrame& refused) {
            say(label,
                "refused " + std::string(to_string(refused.error.code)) + ": " +
                    refused.error.message);
          },
          [&](const ClosedFrame& closed) {
            say(label,
                "closed " + std::string(to_string(closed.reason.code)) + ": " +
                    closed.reason.message);
          },
          [](const WelcomeInfo&) {},
          [](const DaemonsFrame&) {},
          [](const StatusFrame&) {},
          [](const GroupsFrame&) {},
          [](const PongFrame&) {}},
      frame);
}

}  // namespace ringcast::script
