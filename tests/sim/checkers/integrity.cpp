// SPDX-License-Identifier: Apache-2.0
//
// E1 integrity: what is delivered was sent, unchanged, by a member of its configuration.
// E2 a message is delivered in its configuration of origin or the transitional one after it.
// E3 no duplicates: delivered once per process, originated once, one message per label.
// E25 a message is whole: length and check of its payload agree.
#include <unordered_map>
#include <unordered_set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

struct Origin {
  ProcessIndex process{0};
  std::uint64_t count{0};
};
using Origins = std::map<std::pair<RingId, Seq>, Origin>;

Origins collect_origins(const Timeline& timeline, Report& report) {
  Origins origins;
  for (ProcessIndex p = 0; p < timeline.epochs.size(); ++p) {
    for (const Epoch& epoch : timeline.epochs[p]) {
      for (const Origination& origination : epoch.originations) {
        const Originated& what = *origination.what;
        const auto [at, fresh] =
            origins.try_emplace({what.ring, what.seq}, Origin{.process = p, .count = what.count});
        if (!fresh) {
          report.fail(
              "E3",
              "packet " + timeline.history.show(what.ring) + " seq " +
                  std::to_string(what.seq.value) + " was originated by " +
                  timeline.who(at->second.process) + " and again by " + timeline.who(p));
        }
      }
    }
  }
  return origins;
}

class IntegrityCheck {
 public:
  IntegrityCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline),
        history_(timeline.history),
        report_(report),
        origins_(collect_origins(timeline, report)) {}

  void run() {
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      seen_.clear();
      for (const Epoch& epoch : timeline_.epochs[p]) {
        for (const Delivered* delivered : epoch.deliveries) {
          check(p, epoch, *delivered);
        }
      }
    }
  }

 private:
  std::string at(ProcessIndex p, const Delivered& delivered) const {
    return timeline_.who(p) + " delivered " + history_.describe(delivered.message);
  }

  void check(ProcessIndex p, const Epoch& epoch, const Delivered& delivered) {
    const MessageRecord& record = history_.messages[delivered.message];
    if (delivered.label.ring != epoch.ring()) {
      report_.fail("E2", at(p, delivered) + " in " + timeline_.show(epoch));
    }
    if (delivered.transitional != epoch.transitional()) {
      report_.fail(
          "E2",
          at(p, delivered) + " with a transitional flag that is wrong in " + timeline_.show(epoch));
    }
    if (delivered.originator != record.originator || delivered.hash != record.hash ||
        delivered.service != record.service) {
      report_.fail("E1", at(p, delivered) + " with another content, originator or service");
    }
    if (!seen_.insert(delivered.message).second) {
      report_.fail("E3", at(p, delivered) + " twice");
    }
    const auto [label, fresh] = labels_.try_emplace(delivered.label, delivered.message);
    if (!fresh && label->second != delivered.message) {
      report_.fail(
          "E3", at(p, delivered) + ", whose place belongs to " + history_.describe(label->second));
    }
    if (delivered.label != record.label) {
      report_.fail(
          "E3",
          at(p, delivered) + " at another place, seq " + std::to_string(delivered.label.seq.value) +
              " of " + history_.show(delivered.label.ring));
    }
    check_origin(p, delivered);
    check_payload(p, delivered, record);
  }

  void check_origin(ProcessIndex p, const Delivered& delivered) {
    const auto ring = timeline_.regular.find(delivered.label.ring);
    if (ring != timeline_.regular.end()) {
      bool member = false;
      for (const NodeKey& key : ring->second->members) {
        member |= key.node == delivered.originator;
      }
      if (!member) report_.fail("E1", at(p, delivered) + ", whose originator is no member");
    }
    if (!history_.tells_origins) return;
    const auto origin = origins_.find({delivered.label.ring, delivered.label.seq});
    if (origin == origins_.end()) {
      report_.fail("E1", at(p, delivered) + ", which nobody originated");
      return;
    }
    const Process& process = history_.processes[origin->second.process];
    if (process.node != delivered.originator || delivered.label.index >= origin->second.count) {
      report_.fail(
          "E1",
          at(p, delivered) + ", but " + process.daemon + " originated that packet with " +
              std::to_string(origin->second.count) + " messages");
    }
  }

  void check_payload(ProcessIndex p, const Delivered& delivered, const MessageRecord& record) {
    if (!record.payload) return;
    if (!record.payload->intact) report_.fail("E25", at(p, delivered) + " incomplete or changed");
    const Published* publish = timeline_.publish_of(record.payload);
    if (publish == nullptr) {
      report_.fail("E1", at(p, delivered) + ", which no client published");
      return;
    }
    const SessionRecord& session = history_.session(publish->id.client);
    if (session.node != delivered.originator || publish->service != delivered.service) {
      report_.fail(
          "E1",
          at(p, delivered) + ", published at " + session.daemon + " as " +
              std::string(to_string(publish->service)));
    }
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  Origins origins_;
  std::unordered_set<MessageIndex> seen_;
  std::unordered_map<Label, MessageIndex, HashOf> labels_;
};

}  // namespace

void check_integrity(const Timeline& timeline, Report& report) {
  IntegrityCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
