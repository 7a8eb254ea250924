// SPDX-License-Identifier: Apache-2.0
//
// Events and status, field by field.
#include "tools/common/json_events.hpp"

#include <cmath>

#include "tools/common/base64.hpp"
#include "tools/common/json.hpp"
#include "tools/common/utf8.hpp"

namespace ringcast::tools {
namespace {

void append_line(std::string& out, const Json& json) { out += one_line_json(json) + '\n'; }

void add_position(Json& json, const Position& position) {
  json["configuration"] = to_string(position.configuration);
  json["seq"] = position.seq;
  json["index"] = position.index;
}

Json id_of(const Configuration& configuration) {
  if (configuration.id.representative.empty()) return nullptr;  // before the first one
  return to_string(configuration.id);
}

Json list_of(const std::vector<MemberName>& members) {
  auto list = Json::array();
  for (const auto& member : members) {
    list.push_back(to_string(member));
  }
  return list;
}

Json list_of(const std::vector<DaemonInfo>& daemons) {
  auto list = Json::array();
  for (const auto& daemon : daemons) {
    list.push_back({{"name", daemon.name}, {"address", daemon.address}, {"member", daemon.member}});
  }
  return list;
}

}  // namespace

void append_json(std::string& out, const Event& event) {
  std::visit([&out](const auto& one) { append_json(out, one); }, event);
}

void append_json(std::string& out, const Message& message) {
  Json json = {
      {"event", "message"},
      {"groups", message.groups},
      {"sender", to_string(message.sender)},
      {"service", to_string(message.service)}};
  add_position(json, message.position);
  json["type"] = message.type;
  if (message.transitional) json["transitional"] = true;
  const auto payload = as_text(message.payload);
  if (is_valid_utf8(payload)) {
    json["payload"] = payload;
  } else {
    json["payload_base64"] = base64(message.payload);
  }
  append_line(out, json);
}

void append_json(std::string& out, const View& view) {
  append_line(
      out,
      {{"event", "view"},
       {"group", view.group},
       {"id", view.id},
       {"cause", to_string(view.cause)},
       {"who", list_of(view.who)},
       {"members", list_of(view.members)},
       {"with_me", list_of(view.with_me)}});
}

void append_json(std::string& out, const Transitional& transitional) {
  append_line(out, {{"event", "transitional"}, {"group", transitional.group}});
}

void append_json(std::string& out, const Left& left) {
  append_line(out, {{"event", "left"}, {"group", left.group}});
}

void append_json(std::string& out, const Configuration& configuration) {
  append_line(
      out,
      {{"event", "configuration"},
       {"configuration", to_string(configuration.id)},
       {"daemons", configuration.daemons}});
}

void append_json(std::string& out, const Confirmation& confirmation) {
  Json json = {{"event", "confirmation"}};
  add_position(json, confirmation.position);
  json["stable"] = confirmation.stable;
  json["transitional"] = confirmation.transitional;
  json["ticket"] = confirmation.ticket;
  append_line(out, json);
}

void append_json(std::string& out, const Reconnected& reconnected) {
  append_line(
      out,
      {{"event", "reconnected"},
       {"name", to_string(reconnected.name)},
       {"groups", reconnected.groups},
       {"unconfirmed", reconnected.unconfirmed}});
}

void append_json(std::string& out, const Closed& closed) {
  Json json = {{"event", "closed"}, {"reason", closed.reason}};
  if (closed.reconnecting) json["reconnecting"] = true;
  append_line(out, json);
}

void append_json(std::string& out, const Refused& refused) {
  Json json = {{"event", "refused"}};
  if (refused.ticket != 0) json["ticket"] = refused.ticket;
  if (!refused.group.empty()) json["group"] = refused.group;
  json["error"] = to_string(refused.error.code);
  json["reason"] = refused.error.message;
  append_line(out, json);
}

void append_json(std::string& out, const NodeStatus& status) {
  auto counters = Json::object();
  for (const auto& [name, value] : status.counters) {
    counters[name] = value;
  }
  append_line(
      out,
      {{"event", "status"},
       {"daemon", status.daemon},
       {"cluster", status.cluster},
       {"version", status.version},
       {"state", status.state},
       {"configuration",
        {{"id", id_of(status.configuration)}, {"members", status.configuration.daemons}}},
       {"uptime_s", std::round(status.uptime_s * 1000) / 1000},
       {"groups", status.groups},
       {"sessions", status.sessions},
       {"daemons", list_of(status.daemons)},
       {"warnings", status.warnings},
       {"counters", std::move(counters)}});
}

void append_json_members(std::string& out, const NodeStatus& status) {
  append_line(
      out,
      {{"event", "members"},
       {"configuration", id_of(status.configuration)},
       {"members", status.configuration.daemons},
       {"daemons", list_of(status.daemons)}});
}

void append_json(std::string& out, const GroupInfo& group) {
  append_line(
      out, {{"event", "group"}, {"group", group.group}, {"members", list_of(group.members)}});
}

}  // namespace ringcast::tools
