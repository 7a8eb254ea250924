// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/safe.hpp"

namespace ringcast::sim {

void check_safe_delivery(
    const History& history,
    const Memories& memories,
    const Wire::Holds& holds,
    NodeId self,
    std::span<const NodeKey> members,
    const OrderedMessage& message,
    Report& report) {
  const auto what = [&](const NodeKey& member) {
    return history.name_of(self) + " delivered safe " + history.show(message.configuration) +
           " seq " + std::to_string(message.seq.value) + " though " + history.name_of(member.node);
  };
  for (const NodeKey& member : members) {
    const RingMemory* const theirs = memories.find(member, message.configuration);
    if (theirs == nullptr || !theirs->installed) {
      // Who came through more rings since than are remembered has installed this one or not.
      const RunMemory* const run = memories.run(member);
      const bool is_forgotten = run != nullptr && theirs == nullptr && !run->rings.empty() &&
                                message.configuration < run->rings.front().ring;
      if (!is_forgotten) report.fail("E19", what(member) + " had not installed its configuration");
      continue;
    }
    // Who left the ring in the very input that brought it the message was not seen to have it
    // there; but it has handed it up since.
    const bool has = message.seq <= theirs->aru || message.seq <= theirs->told ||
                     holds(member, message.configuration, message.seq);
    if (has) continue;
    // ... unless it died before that.
    const RunMemory* const run = memories.run(member);
    if (!(run->ended && !run->works_in(message.configuration))) {
      report.fail("E20", what(member) + " does not have it");
    }
  }
}

}  // namespace ringcast::sim
