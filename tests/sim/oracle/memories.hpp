// SPDX-License-Identifier: Apache-2.0
//
// Memories: what the oracle saw in the memory of every run of every daemon, and what it judges
// by that alone:
//
// P1 a token counts as accepted once, with a token seq above all before.
// P2 aru, safe line and what is delivered or discarded never move back inside a ring.
// P3 the safe line is at most what every member that is still in the ring has received.
// P4 only what is safe and delivered is discarded; only what was received is delivered.
// P7 the timers armed are those of the state, and joins are repeated in time. (Its edges:
//    checkers/states.cpp)
// P8 every buffer belongs to a ring that lives, and is bounded.
// C3 a token leaves in the input that brought it, or rests because its holder has nothing to
//    send: whatever clients do.
// E29 over failed attempts the coming transitional configuration only shrinks, and what an attempt
//    obliged to only grows.
//
// Of each run only its newest rings are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/ring/inspection.hpp"
#include "sim/checkers/report.hpp"
#include "sim/history.hpp"

namespace ringcast::sim {

/// One ring as one run of a daemon had it in its memory when it was seen last.
struct RingMemory {
  RingId ring;
  std::vector<NodeKey> members;
  Seq aru;
  Seq high;
  Seq discarded;
  Seq delivered;
  Seq safe_line;
  std::uint64_t last_token_seq{0};
  std::uint64_t flow_window{0};
  std::uint32_t window_packets{0};
  bool installed{false};
  Seq told;  ///< highest packet a message of which it handed up
};

struct RunMemory {
  RingPhase phase{RingPhase::starting};
  std::uint64_t tokens_accepted{0};
  bool holds_token{false};
  bool ended{false};
  RingId current;
  RingId forming;
  std::vector<RingMemory> rings;  ///< oldest first, bounded

  // The last attempt to leave `current`. [E29]
  RingId attempt;
  RingId attempt_from;
  std::vector<NodeKey> attempt_members;
  RingId obliged_in;
  std::size_t obligation{0};

  [[nodiscard]] const RingMemory* find(const RingId& ring) const;
  /// It takes part in that ring, as far as was seen.
  [[nodiscard]] bool works_in(const RingId& ring) const {
    return ring == current || ring == forming;
  }
};

class Memories {
 public:
  struct Bounds {
    std::uint64_t message_bytes_max{0};
    Duration join_pause_max{};  ///< between two joins of a gather, jitter included
  };

  /// `history` gives names only.
  Memories(const History& history, Bounds bounds, Report& report)
      : history_(history), bounds_(bounds), report_(report) {}

  /// After every input of a node.
  void look(const Inspection& now);
  /// Before look(). `sent`: the last token it sent of its current ring.
  void check_token_left(const Inspection& now, std::optional<std::uint64_t> sent);
  void ended(const NodeKey& key);
  /// It handed up a message.
  void delivered(const NodeKey& key, const RingId& ring, Seq seq);

  [[nodiscard]] const RunMemory* run(const NodeKey& key) const;
  /// Null: it was no member, or that was long ago.
  [[nodiscard]] const RingMemory* find(const NodeKey& key, const RingId& ring) const;

 private:
  struct HashKey {
    std::size_t operator()(const NodeKey& key) const {
      return (std::size_t{key.node.value} << 32U) ^ key.boot.value;
    }
  };

  RingMemory& remember(RunMemory& run, const RingInspection& ring);
  void check_ring(const RingInspection& now, const RingMemory& before);
  void check_safe_line(const RingInspection& now);
  void check_tokens(const Inspection& now, const RunMemory& before);
  void check_timers(const Inspection& now);
  void check_buffers(const Inspection& now);
  void check_obligation(const Inspection& now, RunMemory& run);
  void check_attempt(const Inspection& now, RunMemory& run);
  void fail(const std::string& invariant, const std::string& what);

  const History& history_;
  Bounds bounds_;
  Report& report_;
  NodeKey self_;  ///< of the look under way
  std::unordered_map<NodeKey, RunMemory, HashKey> runs_;
};

}  // namespace ringcast::sim
