// SPDX-License-Identifier: Apache-2.0
//
// From the events of one session to the configurations of its daemon: where each began, what was
// delivered in it and in the transitional one behind it, and who came along into the next.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/history.hpp"

namespace ringcast::campaign {

/// A regular configuration and the transitional one after it, as one session saw them. Where the
/// daemon passed through configurations that were never complete, they are one step here.
struct Segment {
  RingId ring;
  std::vector<NodeId> daemons;
  Instant began;
  bool in_all_groups{false};  ///< the session was, when it began: nothing of it escaped it
  std::vector<std::pair<Instant, const sim::Received*>> regular;
  std::vector<std::pair<Instant, const sim::Received*>> transitional;
  /// The daemons that came along into the next configuration, as far as they have members;
  /// nothing when there is no next, or the record ends too early to tell.
  std::optional<std::set<NodeId>> companions;
};

std::vector<Segment> cut(const sim::SessionRecord& session, const std::set<std::string>& groups);

/// Addressed to a group at all, not to members alone.
bool is_to_a_group(std::span<const std::string> groups);

}  // namespace ringcast::campaign
