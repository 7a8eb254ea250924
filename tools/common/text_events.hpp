// SPDX-License-Identifier: Apache-2.0
//
// The same events for people: one line each, safe for a terminal. The wording may change
// from version to version; scripts use --json.
#pragma once

#include <string>

#include "ringcast/client.hpp"
#include "ringcast/status.hpp"

namespace ringcast::tools {

/// Appends the event as one line. One newline at the end of a payload is not shown.
void append_text(std::string& out, const Event& event);

/// The whole status, several lines.
void append_text(std::string& out, const NodeStatus& status);
/// The status on one line, for those who watch it change.
void append_text_brief(std::string& out, const NodeStatus& status);
/// One line per daemon of the configuration file: name, address, member or away.
void append_text_members(std::string& out, const NodeStatus& status);
/// One line: group, number of members, members.
void append_text(std::string& out, const GroupInfo& group);

}  // namespace ringcast::tools
