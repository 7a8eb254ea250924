// SPDX-License-Identifier: Apache-2.0
//
// What a daemon tells, as JSON: one object on one line per event. The names of the fields
// are a promise to scripts; fields may be added, none changes its meaning.
#pragma once

#include <string>

#include "ringcast/client.hpp"
#include "ringcast/status.hpp"

namespace ringcast::tools {

/// Appends the event and a newline.
void append_json(std::string& out, const Event& event);

void append_json(std::string& out, const Message& message);
void append_json(std::string& out, const View& view);
void append_json(std::string& out, const Transitional& transitional);
void append_json(std::string& out, const Left& left);
void append_json(std::string& out, const Configuration& configuration);
void append_json(std::string& out, const Confirmation& confirmation);
void append_json(std::string& out, const Reconnected& reconnected);
void append_json(std::string& out, const Closed& closed);
void append_json(std::string& out, const Refused& refused);

/// All a daemon says about itself; `configuration.id` is null before the first one.
void append_json(std::string& out, const NodeStatus& status);
/// The daemons of the ring only.
void append_json_members(std::string& out, const NodeStatus& status);
void append_json(std::string& out, const GroupInfo& group);

}  // namespace ringcast::tools
