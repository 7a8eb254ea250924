// SPDX-License-Identifier: Apache-2.0
//
// Lines for people. Events that are not messages start with "--", so that they stand out
// between the messages.
#include "tools/common/text_events.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tools/common/utf8.hpp"

namespace ringcast::tools {
namespace {

void append_words(std::string& out, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    out.append(" ").append(word);
  }
}

void append_members(std::string& out, const std::vector<MemberName>& members) {
  for (const auto& member : members) {
    out.append(" ").append(to_string(member));
  }
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  out.append(std::max(width, text.size()) - text.size() + 2, ' ');
}

std::string configuration_name(const Configuration& configuration) {
  return configuration.id.representative.empty() ? "none yet" : to_string(configuration.id);
}

void append(std::string& out, const Message& message) {
  out += '[';
  for (std::size_t i = 0; i < message.groups.size(); ++i) {
    if (i > 0) out += ',';
    out += message.groups[i];
  }
  out.append("] ").append(to_string(message.sender));
  if (message.type != 0) out.append(" type ").append(std::to_string(message.type));
  if (message.transitional) out += " (transitional)";
  out += ": ";
  auto payload = as_text(message.payload);
  if (!payload.empty() && payload.back() == '\n') payload.remove_suffix(1);
  append_one_line(out, payload);
  out += '\n';
}

void append(std::string& out, const View& view) {
  out.append("-- ").append(view.group).append(": ").append(to_string(view.cause));
  append_members(out, view.who);
  out += "; members";
  append_members(out, view.members);
  if (view.cause == Cause::network) {
    out += "; with me";
    append_members(out, view.with_me);
  }
  out.append("; view ").append(view.id).append("\n");
}

void append(std::string& out, const Transitional& transitional) {
  out.append("-- ").append(transitional.group);
  out.append(": transitional, the ring is changing\n");
}

void append(std::string& out, const Left& left) {
  out.append("-- ").append(left.group).append(": left\n");
}

void append(std::string& out, const Configuration& configuration) {
  out.append("-- ring ").append(configuration_name(configuration)).append(", ");
  out.append(std::to_string(configuration.daemons.size())).append(" of ");
  out.append(std::to_string(configuration.configured.size())).append(" daemons:");
  append_words(out, configuration.daemons);
  out += '\n';
}

void append(std::string& out, const Confirmation& confirmation) {
  out.append("-- confirmed ").append(std::to_string(confirmation.ticket)).append(" at ");
  out.append(to_string(confirmation.position.configuration)).append(" ");
  out.append(std::to_string(confirmation.position.seq)).append(".");
  out.append(std::to_string(confirmation.position.index));
  if (confirmation.stable) out += ", stable";
  if (confirmation.transitional) out += ", transitional";
  out += '\n';
}

void append(std::string& out, const Reconnected& reconnected) {
  out.append("-- connected again as ").append(to_string(reconnected.name));
  out += "; what was delivered in between may be missing\n";
}

void append(std::string& out, const Closed& closed) {
  out += "-- disconnected: ";
  append_one_line(out, closed.reason);
  if (closed.reconnecting) out += "; trying again";
  out += '\n';
}

void append(std::string& out, const Refused& refused) {
  out += "-- refused";
  if (refused.ticket != 0) out.append(" message ").append(std::to_string(refused.ticket));
  if (!refused.group.empty()) out.append(" group ").append(refused.group);
  out += ": ";
  append_one_line(out, refused.error.message);
  out += '\n';
}

void append_row(std::string& out, std::string_view name, std::string_view value) {
  append_padded(out, name, 13);
  out.append(value).append("\n");
}

std::string seconds_text(double seconds) {
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  return text.data();
}

std::string ring_text(const NodeStatus& status) {
  std::string text = configuration_name(status.configuration) + ", " +
                     std::to_string(status.configuration.daemons.size()) + " of " +
                     std::to_string(status.daemons.size()) + " daemons:";
  append_words(text, status.configuration.daemons);
  return text;
}

void append_daemons(std::string& out, const NodeStatus& status, std::string_view indent) {
  std::size_t name_width = 0;
  std::size_t address_width = 0;
  for (const auto& daemon : status.daemons) {
    name_width = std::max(name_width, daemon.name.size());
    address_width = std::max(address_width, daemon.address.size());
  }
  for (const auto& daemon : status.daemons) {
    out += indent;
    append_padded(out, daemon.name, name_width);
    append_padded(out, daemon.address, address_width);
    out += daemon.member ? "member\n" : "away\n";
  }
}

}  // namespace

void append_text(std::string& out, const Event& event) {
  std::visit([&out](const auto& one) { append(out, one); }, event);
}

void append_text(std::string& out, const NodeStatus& status) {
  append_row(out, "daemon", status.daemon);
  append_row(out, "cluster", status.cluster);
  append_row(out, "version", status.version);
  append_row(out, "state", status.state);
  append_row(out, "configuration", ring_text(status));
  append_row(out, "uptime", seconds_text(status.uptime_s));
  append_row(out, "groups", std::to_string(status.groups));
  append_row(out, "sessions", std::to_string(status.sessions));
  out += "daemons\n";
  append_daemons(out, status, "  ");
  for (const auto& warning : status.warnings) {
    append_row(out, "warning", warning);
  }
  if (!status.counters.empty()) out += "counters\n";
  std::size_t width = 0;
  for (const auto& counter : status.counters) {
    width = std::max(width, counter.first.size());
  }
  for (const auto& counter : status.counters) {
    out += "  ";
    append_padded(out, counter.first, width);
    out.append(std::to_string(counter.second)).append("\n");
  }
}

void append_text_brief(std::string& out, const NodeStatus& status) {
  out.append("-- ").append(status.daemon).append(" ").append(status.state);
  out.append(", ring ").append(ring_text(status));
  out.append("; groups ").append(std::to_string(status.groups));
  out.append(", sessions ").append(std::to_string(status.sessions)).append("\n");
}

void append_text_members(std::string& out, const NodeStatus& status) {
  append_daemons(out, status, "");
}

void append_text(std::string& out, const GroupInfo& group) {
  out.append(group.group).append("  ").append(std::to_string(group.members.size()));
  if (!group.members.empty()) out += ' ';
  append_members(out, group.members);
  out += '\n';
}

}  // namespace ringcast::tools
