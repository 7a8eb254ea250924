// SPDX-License-Identifier: Apache-2.0
//
// Clique: which daemons can be one ring when not every pair of them hears each other. A ring
// needs every pair: its token goes round, and its data goes to all.
#pragma once

#include <functional>
#include <vector>

#include "protocol/base/ids.hpp"

namespace ringcast {

/// Symmetric: two daemons hear each other.
using AreLinked = std::function<bool(const NodeKey&, const NodeKey&)>;

/// The best set of `candidates` (ascending) that contains `self` and in which every pair is
/// linked: the largest and, of these, the one with the smallest ids. The order does not depend on
/// who asks, so the members of the best set of all, who see all links among them, name it alike.
/// Exact while up to ten pairs or so miss their link, each in its own way; with more a good set is
/// found, not always the best. Ascending. REQUIRES: at most join_keys_max candidates. Source:
/// branching on a missing link, as in vertex cover of the missing links.
std::vector<NodeKey> best_clique(
    const NodeKey& self, const std::vector<NodeKey>& candidates, const AreLinked& are_linked);

}  // namespace ringcast
