// SPDX-License-Identifier: Apache-2.0
//
// The ring as the monitor's daemon sees it.
#include <algorithm>

#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/screen/content_tables.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t line_columns = 300;

void add_session(Content& content, const RingState& ring) {
  if (ring.session.empty()) {
    content.head.push_back(
        {"no session: " + shown(ring.last_error, line_columns) + "; trying again", Tone::alarm});
  } else {
    content.head.push_back(
        {"session " + shown(ring.session, line_columns) + ", number " +
         std::to_string(ring.sessions) + " since the start"});
  }
  content.head.push_back(
      {"records " + std::to_string(ring.counters.records) + "   lines again " +
       std::to_string(ring.counters.duplicates) + "   lines missed " +
       std::to_string(ring.counters.missed) + "   other messages " +
       std::to_string(ring.counters.foreign) + "   unreadable records " +
       std::to_string(ring.counters.malformed)});
  if (ring.configuration) {
    const auto& configuration = *ring.configuration;
    content.head.push_back(
        {"configuration " + to_string(configuration.id) + ": " +
             std::to_string(configuration.daemons.size()) + " of " +
             std::to_string(configuration.configured.size()) + " daemons" +
             (configuration.has_majority() ? "" : ", no majority"),
         configuration.has_majority() ? Tone::plain : Tone::alarm});
  }
}

void add_status(Content& content, const NodeStatus& status) {
  content.head.push_back(
      {"daemon " + status.daemon + " of cluster " + status.cluster + ", version " + status.version +
       ", " + status.state + ", up " +
       short_duration(std::chrono::seconds(static_cast<std::int64_t>(status.uptime_s))) + ", " +
       std::to_string(status.sessions) + " sessions, " + std::to_string(status.groups) +
       " groups"});
  for (const auto& warning : status.warnings) {
    content.head.push_back({"warning: " + shown(warning, line_columns), Tone::warning});
  }
  for (const auto& [name, value] : status.counters) {
    content.rows.push_back(
        {{text_cell(name), {std::to_string(value), static_cast<double>(value)}}});
  }
  content.columns = {{"counter of the daemon", 40, true}, {"value", 14}};
}

}  // namespace

Content ring_content(const RingState* ring) {
  Content content;
  if (ring == nullptr) {
    content.head.push_back({"a file is read; there is no ring"});
    return content;
  }
  add_session(content, *ring);
  for (const auto& [group, members] : ring->members) {
    std::string text = "group " + group + ":";
    for (const auto& member : members) {
      text += " " + to_string(member);
    }
    content.head.push_back({shown(text, line_columns)});
  }
  if (ring->status) {
    std::string daemons = "daemons:";
    for (const auto& daemon : ring->status->daemons) {
      daemons += " " + daemon.name + (daemon.member ? "" : " (away)");
    }
    content.head.push_back({shown(daemons, line_columns)});
    add_status(content, *ring->status);
  }
  content.head.emplace_back();
  return content;
}

}  // namespace ringcast::monitor
