// SPDX-License-Identifier: Apache-2.0
//
// Events and status, field by field.
#include "tools/common/json_events.hpp"

#include "tools/common/json_line.hpp"
#include "tools/common/utf8.hpp"

namespace ringcast::tools {
namespace {

void add_position(JsonLine& line, const Position& position) {
  line.text("configuration", to_string(position.configuration))
      .number("seq", position.seq)
      .number("index", position.index);
}

// A sentence of the daemon; should it hold strange bytes, JSON still stays valid.
void add_sentence(JsonLine& line, std::string_view key, std::string_view sentence) {
  if (is_valid_utf8(sentence)) {
    line.text(key, sentence);
    return;
  }
  std::string printable;
  append_one_line(printable, sentence);
  line.text(key, printable);
}

void add_configuration_id(JsonLine& line, std::string_view key, const ConfigurationId& id) {
  if (id.representative.empty()) {
    line.null(key);
  } else {
    line.text(key, to_string(id));
  }
}

void add_daemons(JsonLine& line, const std::vector<DaemonInfo>& daemons) {
  line.open_array("daemons");
  for (const auto& daemon : daemons) {
    line.open_element()
        .text("name", daemon.name)
        .text("address", daemon.address)
        .boolean("member", daemon.member)
        .close_object();
  }
  line.close_array();
}

}  // namespace

void append_json(std::string& out, const Event& event) {
  std::visit([&out](const auto& one) { append_json(out, one); }, event);
}

void append_json(std::string& out, const Message& message) {
  JsonLine line(out);
  line.text("event", "message")
      .words("groups", message.groups)
      .text("sender", to_string(message.sender))
      .text("service", to_string(message.service));
  add_position(line, message.position);
  line.integer("type", message.type);
  if (message.transitional) line.boolean("transitional", true);
  const auto payload = as_text(message.payload);
  if (is_valid_utf8(payload)) {
    line.text("payload", payload);
  } else {
    line.key("payload_base64");
    out += '"';
    append_base64(out, message.payload);
    out += '"';
  }
  line.end();
}

void append_json(std::string& out, const View& view) {
  JsonLine line(out);
  line.text("event", "view")
      .text("group", view.group)
      .text("id", view.id)
      .text("cause", to_string(view.cause))
      .members("who", view.who)
      .members("members", view.members)
      .members("with_me", view.with_me)
      .end();
}

void append_json(std::string& out, const Transitional& transitional) {
  JsonLine(out).text("event", "transitional").text("group", transitional.group).end();
}

void append_json(std::string& out, const Left& left) {
  JsonLine(out).text("event", "left").text("group", left.group).end();
}

void append_json(std::string& out, const Configuration& configuration) {
  JsonLine(out)
      .text("event", "configuration")
      .text("configuration", to_string(configuration.id))
      .words("daemons", configuration.daemons)
      .end();
}

void append_json(std::string& out, const Confirmation& confirmation) {
  JsonLine line(out);
  line.text("event", "confirmation");
  add_position(line, confirmation.position);
  line.boolean("stable", confirmation.stable)
      .boolean("transitional", confirmation.transitional)
      .number("ticket", confirmation.ticket)
      .end();
}

void append_json(std::string& out, const Reconnected& reconnected) {
  JsonLine(out)
      .text("event", "reconnected")
      .text("name", to_string(reconnected.name))
      .words("groups", reconnected.groups)
      .numbers("unconfirmed", reconnected.unconfirmed)
      .end();
}

void append_json(std::string& out, const Closed& closed) {
  JsonLine line(out);
  line.text("event", "closed");
  add_sentence(line, "reason", closed.reason);
  if (closed.reconnecting) line.boolean("reconnecting", true);
  line.end();
}

void append_json(std::string& out, const Refused& refused) {
  JsonLine line(out);
  line.text("event", "refused");
  if (refused.ticket != 0) line.number("ticket", refused.ticket);
  if (!refused.group.empty()) line.text("group", refused.group);
  line.text("error", to_string(refused.error.code));
  add_sentence(line, "reason", refused.error.message);
  line.end();
}

void append_json(std::string& out, const NodeStatus& status) {
  JsonLine line(out);
  line.text("event", "status")
      .text("daemon", status.daemon)
      .text("cluster", status.cluster)
      .text("version", status.version)
      .text("state", status.state)
      .open_object("configuration");
  add_configuration_id(line, "id", status.configuration.id);
  line.words("members", status.configuration.daemons).close_object();
  line.seconds("uptime_s", status.uptime_s)
      .number("groups", status.groups)
      .number("sessions", status.sessions);
  add_daemons(line, status.daemons);
  line.words("warnings", status.warnings).open_object("counters");
  for (const auto& [name, value] : status.counters) {
    line.number(name, value);
  }
  line.close_object().end();
}

void append_json_members(std::string& out, const NodeStatus& status) {
  JsonLine line(out);
  line.text("event", "members");
  add_configuration_id(line, "configuration", status.configuration.id);
  line.words("members", status.configuration.daemons);
  add_daemons(line, status.daemons);
  line.end();
}

void append_json(std::string& out, const GroupInfo& group) {
  JsonLine(out)
      .text("event", "group")
      .text("group", group.group)
      .members("members", group.members)
      .end();
}

}  // namespace ringcast::tools
