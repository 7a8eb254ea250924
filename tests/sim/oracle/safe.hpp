// SPDX-License-Identifier: Apache-2.0
//
// A safe delivery, judged at its instant:
// E19 every member of the configuration has installed it. "Installed" by its own memory: a
//     daemon that dies between its install and telling its clients of it has installed.
// E20 every member holds the message, or has delivered it. Of one that ended: did when it did.
#pragma once

#include "protocol/base/ordered.hpp"
#include "sim/oracle/wire.hpp"

namespace ringcast::sim {

/// REQUIRES: `message` is delivered by `self` in the regular configuration of these members.
void check_safe_delivery(
    const History& history,
    const Memories& memories,
    const Wire::Holds& holds,
    NodeId self,
    std::span<const NodeKey> members,
    const OrderedMessage& message,
    Report& report);

}  // namespace ringcast::sim
