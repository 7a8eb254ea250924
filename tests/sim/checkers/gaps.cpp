// SPDX-License-Identifier: Apache-2.0
//
// E12 causal: whoever delivers a message has delivered before it all that its originator had
//     delivered, or originated, in the same ring before originating it.
// E15 in a regular configuration nothing is missing before anything that is delivered.
// E16 in a transitional one only messages of originators outside it may be missing.
// E17 behind a gap in a transitional one nothing is delivered that depends on what is missing:
//     E12 for the place where it is easiest to break. (That what is delivered there comes from
//     daemons the process owes it to is a rule of how, [DLV-4]; what it is for is checked here.)
//
// "Missing" is measured against everything anybody delivered of the ring. E16 as written speaks
// of processes that delivered both messages; this checks the stronger form without that
// condition, which our recovery keeps.
#include <algorithm>
#include <set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

struct Ring {
  std::vector<const Delivered*> all;  // by label
  std::map<Seq, std::size_t> past;    // packet -> how many of `all` its originator had delivered
};

/// One process's walk over a ring's messages.
class Walk {
 public:
  Walk(const Timeline& timeline, ProcessIndex process, const Ring& ring, Report& report)
      : timeline_(timeline), process_(process), ring_(ring), report_(report) {}

  void take(const Epoch& epoch, const Delivered& delivered) {
    std::size_t at = next_;
    while (at < ring_.all.size() && ring_.all[at]->label < delivered.label) {
      ++at;
    }
    if (at == ring_.all.size() || ring_.all[at]->label != delivered.label) return;  // E14 tells
    for (std::size_t missing = next_; missing < at; ++missing) {
      miss(epoch, *ring_.all[missing], delivered);
    }
    first_gap_ = first_gap_ == next_ && at == next_ ? at + 1 : std::min(first_gap_, next_);
    next_ = at + 1;
    check_past(epoch, delivered, at);
  }

 private:
  void miss(const Epoch& epoch, const Delivered& missing, const Delivered& delivered) {
    skipped_.insert(missing.originator);
    const std::string text = timeline_.who(process_) + " delivered " +
                             timeline_.history.describe(delivered.message) + " in " +
                             timeline_.show(epoch) + " without " +
                             timeline_.history.describe(missing.message) + " before it";
    if (!epoch.transitional()) {
      report_.fail("E15", text);
      return;
    }
    for (const NodeKey& key : epoch.configuration->members) {
      if (key.node == missing.originator) report_.fail("E16", text);
    }
  }

  void fail_cause(const Epoch& epoch, const std::string& what) {
    report_.fail("E12", what);
    if (epoch.transitional()) report_.fail("E17", what);
  }

  void check_past(const Epoch& epoch, const Delivered& delivered, std::size_t at) {
    if (skipped_.contains(delivered.originator)) {
      fail_cause(
          epoch,
          timeline_.who(process_) + " delivered " + timeline_.history.describe(delivered.message) +
              " though it misses an earlier one of the same originator");
    }
    const auto past = ring_.past.find(delivered.label.seq);
    if (past == ring_.past.end()) return;
    const std::size_t delivered_before = std::min(first_gap_, at);
    if (delivered_before < past->second) {
      fail_cause(
          epoch,
          timeline_.who(process_) + " delivered " + timeline_.history.describe(delivered.message) +
              " though it misses " +
              timeline_.history.describe(ring_.all[delivered_before]->message) +
              ", which its originator had delivered before sending");
    }
  }

  const Timeline& timeline_;
  ProcessIndex process_;
  const Ring& ring_;
  Report& report_;
  std::size_t next_{0};       // first index not walked over
  std::size_t first_gap_{0};  // first index not delivered
  std::set<NodeId> skipped_;
};

std::map<RingId, Ring> collect(const Timeline& timeline) {
  std::map<RingId, Ring> rings;
  for (const auto& [id, messages] : timeline.union_of) {
    for (const auto& [label, delivered] : messages) {
      rings[id].all.push_back(delivered);
    }
  }
  for (const std::vector<Epoch>& epochs : timeline.epochs) {
    for (const Epoch& epoch : epochs) {
      if (epoch.transitional()) continue;
      for (const Origination& origination : epoch.originations) {
        if (origination.what->ring != epoch.ring()) continue;
        rings[epoch.ring()].past[origination.what->seq] = origination.delivered_before;
      }
    }
  }
  return rings;
}

}  // namespace

void check_gaps(const Timeline& timeline, Report& report) {
  const std::map<RingId, Ring> rings = collect(timeline);
  for (ProcessIndex p = 0; p < timeline.epochs.size(); ++p) {
    std::map<RingId, Walk> walks;
    for (const Epoch& epoch : timeline.epochs[p]) {
      const auto ring = rings.find(epoch.ring());
      if (ring == rings.end()) continue;
      Walk& walk = walks.try_emplace(epoch.ring(), timeline, p, ring->second, report).first->second;
      for (const Delivered* delivered : epoch.deliveries) {
        if (delivered->label.ring == epoch.ring()) walk.take(epoch, *delivered);
      }
    }
  }
}

}  // namespace ringcast::sim
