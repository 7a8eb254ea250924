// SPDX-License-Identifier: Apache-2.0
//
// E10 self-delivery: who originated a message and lives to install the next regular
//     configuration has delivered it.
// E11 who moves together from one configuration to the next delivered the same messages in it.
// E18 a safe message that was delivered in a configuration is delivered by all its members,
//     unless they end before their next regular configuration.
// E23 in a settled run all members of the last configuration delivered the same there, and all
//     that was originated in it.
#include <set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

/// What one process delivered of one ring, in it and in the transitional one after it.
struct Share {
  const Epoch* regular{nullptr};
  const Epoch* transitional{nullptr};
  bool moved_on{false};  ///< installed another regular configuration afterwards
  std::set<MessageIndex> messages;
  std::set<Label> labels;
};

class AgreementCheck {
 public:
  AgreementCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {
    for (ProcessIndex p = 0; p < timeline.epochs.size(); ++p) {
      collect(p);
    }
  }

  void run() {
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      check_self_delivery(p);
      check_company(p);
    }
    check_safe();
    if (history_.settled) check_final();
  }

 private:
  using Key = std::pair<ProcessIndex, RingId>;

  void collect(ProcessIndex p) {
    const std::vector<Epoch>& epochs = timeline_.epochs[p];
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const Epoch& epoch = epochs[i];
      if (epoch.configuration == nullptr) continue;
      Share& share = shares_[{p, epoch.ring()}];
      (epoch.transitional() ? share.transitional : share.regular) = &epoch;
      share.moved_on = epoch.transitional() && i + 1 < epochs.size();
      for (const Delivered* delivered : epoch.deliveries) {
        share.messages.insert(delivered->message);
        share.labels.insert(delivered->label);
      }
    }
  }

  void check_self_delivery(ProcessIndex p) {
    for (const Epoch& epoch : timeline_.epochs[p]) {
      for (const Origination& origination : epoch.originations) {
        const auto share = shares_.find({p, origination.what->ring});
        if (share == shares_.end() || !share->second.moved_on) continue;
        check_labels("E10", p, share->second, *origination.what);
      }
    }
  }

  void check_labels(
      const std::string& invariant, ProcessIndex p, const Share& share, const Originated& what) {
    for (std::uint64_t i = 0; i < what.count; ++i) {
      const Label label{.ring = what.ring, .seq = what.seq, .index = static_cast<std::uint32_t>(i)};
      if (share.labels.contains(label)) continue;
      report_.fail(
          invariant,
          timeline_.who(p) + " did not deliver message " + std::to_string(i) + " of packet " +
              std::to_string(what.seq.value) + " of " + history_.show(what.ring));
    }
  }

  /// E11, for R (everyone who entered the same T) and for T (everyone who went on to R2).
  void check_company(ProcessIndex p) {
    const std::vector<Epoch>& epochs = timeline_.epochs[p];
    for (std::size_t i = 0; i + 1 < epochs.size(); ++i) {
      const Installed* next = epochs[i + 1].configuration;
      if (epochs[i].configuration == nullptr || next == nullptr) continue;
      const auto step = std::make_tuple(epochs[i].transitional(), next->previous, next->id);
      const auto [at, fresh] = leaders_.try_emplace(step, std::pair{p, &epochs[i]});
      if (!fresh) compare(at->second.first, *at->second.second, p, epochs[i]);
    }
  }

  void compare(ProcessIndex p, const Epoch& mine, ProcessIndex q, const Epoch& yours) {
    std::size_t i = 0;
    const std::size_t common = std::min(mine.deliveries.size(), yours.deliveries.size());
    while (i < common && mine.deliveries[i]->message == yours.deliveries[i]->message) {
      ++i;
    }
    if (i == mine.deliveries.size() && i == yours.deliveries.size()) return;
    const auto name = [&](const Epoch& epoch) {
      return i < epoch.deliveries.size() ? history_.describe(epoch.deliveries[i]->message)
                                         : std::string("nothing more");
    };
    report_.fail(
        "E11",
        "in " + timeline_.show(mine) + " " + timeline_.who(p) + " delivered " +
            std::to_string(mine.deliveries.size()) + " messages and " + timeline_.who(q) + " " +
            std::to_string(yours.deliveries.size()) + ", though both went on together; at " +
            std::to_string(i) + ": " + name(mine) + " and " + name(yours));
  }

  void check_safe() {
    // (configuration as seen by whoever was in it) -> safe messages somebody delivered there
    std::map<std::pair<RingId, RingId>, std::pair<const Installed*, std::set<MessageIndex>>> safe;
    for (const std::vector<Epoch>& epochs : timeline_.epochs) {
      for (const Epoch& epoch : epochs) {
        if (epoch.configuration == nullptr) continue;
        const Installed& change = *epoch.configuration;
        auto& entry = safe[{epoch.transitional() ? change.previous : RingId{}, change.id}];
        entry.first = &change;
        for (const Delivered* delivered : epoch.deliveries) {
          if (delivered->service == Service::safe) entry.second.insert(delivered->message);
        }
      }
    }
    for (const auto& [key, entry] : safe) {
      const RingId ring = key.first.seq == 0 ? key.second : key.first;
      for (const NodeKey& member : entry.first->members) {
        check_safe_at(ring, member, entry.second);
      }
    }
  }

  void check_safe_at(
      const RingId& ring, const NodeKey& member, const std::set<MessageIndex>& messages) {
    const auto process = timeline_.process_of.find(member);
    if (process == timeline_.process_of.end() || messages.empty()) return;
    const ProcessIndex q = process->second;
    const auto share = shares_.find({q, ring});
    const bool moved_on = share == shares_.end() ? left_behind(q, ring) : share->second.moved_on;
    const bool waits = history_.processes[q].ended || !history_.settled;
    if (!moved_on && waits) return;  // ended first, or may still deliver
    for (const MessageIndex message : messages) {
      if (share != shares_.end() && share->second.messages.contains(message)) continue;
      report_.fail(
          "E18",
          timeline_.who(q) + " never delivered safe " + history_.describe(message) +
              ", which another member delivered");
    }
  }

  /// It never installed the ring: did it install a newer one?
  bool left_behind(ProcessIndex q, const RingId& ring) const {
    for (const Epoch& epoch : timeline_.epochs[q]) {
      if (epoch.configuration == nullptr || epoch.transitional()) continue;
      if (ring < epoch.configuration->id) return true;
    }
    return false;
  }

  void check_final() {
    std::map<RingId, ProcessIndex> first;
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      if (history_.processes[p].ended || timeline_.epochs[p].empty()) continue;
      const Epoch& last = timeline_.epochs[p].back();
      if (last.configuration == nullptr || last.transitional()) continue;
      const auto [at, fresh] = first.try_emplace(last.ring(), p);
      if (!fresh) compare_final(at->second, p);
      for (ProcessIndex q = 0; q < timeline_.epochs.size(); ++q) {
        for (const Epoch& epoch : timeline_.epochs[q]) {
          if (epoch.ring() != last.ring()) continue;
          for (const Origination& origination : epoch.originations) {
            if (origination.what->ring != last.ring()) continue;
            check_labels("E23", p, shares_[{p, last.ring()}], *origination.what);
          }
        }
      }
    }
  }

  void compare_final(ProcessIndex p, ProcessIndex q) {
    const Epoch& mine = timeline_.epochs[p].back();
    const Epoch& yours = timeline_.epochs[q].back();
    if (mine.deliveries.size() == yours.deliveries.size()) return;
    report_.fail(
        "E23",
        "at the end " + timeline_.who(p) + " delivered " + std::to_string(mine.deliveries.size()) +
            " and " + timeline_.who(q) + " " + std::to_string(yours.deliveries.size()) +
            " messages in " + timeline_.show(mine));
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  std::map<Key, Share> shares_;
  std::map<std::tuple<bool, RingId, RingId>, std::pair<ProcessIndex, const Epoch*>> leaders_;
};

}  // namespace

void check_agreement(const Timeline& timeline, Report& report) {
  AgreementCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
