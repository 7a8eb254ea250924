// SPDX-License-Identifier: Apache-2.0
//
// E13 a client session's messages are delivered in the order it published them, everywhere and
//     across configurations.
// E14 one total order: inside a ring each process delivers along strictly growing labels. With
//     E3 (a label is one message) any two processes agree on the order of any two messages.
#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

void check_fifo(const Timeline& timeline, ProcessIndex p, Report& report) {
  std::map<std::uint64_t, std::uint32_t> last;
  for (const Epoch& epoch : timeline.epochs[p]) {
    for (const Delivered* delivered : epoch.deliveries) {
      const MessageRecord& record = timeline.history.messages[delivered->message];
      if (!record.payload) continue;
      std::uint32_t& number = last[record.payload->id.client];
      if (record.payload->id.number < number) {
        report.fail(
            "E13",
            timeline.who(p) + " delivered " + timeline.history.describe(delivered->message) +
                " after no " + std::to_string(number) + " of the same client");
      }
      number = std::max(number, record.payload->id.number);
    }
  }
}

void check_labels_grow(const Timeline& timeline, ProcessIndex p, Report& report) {
  std::map<RingId, const Delivered*> last;
  for (const Epoch& epoch : timeline.epochs[p]) {
    for (const Delivered* delivered : epoch.deliveries) {
      const Delivered*& before = last[delivered->label.ring];
      if (before != nullptr && !(before->label < delivered->label)) {
        report.fail(
            "E14",
            timeline.who(p) + " delivered " + timeline.history.describe(delivered->message) +
                " after " + timeline.history.describe(before->message));
      }
      before = delivered;
    }
  }
}

}  // namespace

void check_order(const Timeline& timeline, Report& report) {
  for (ProcessIndex p = 0; p < timeline.epochs.size(); ++p) {
    check_fifo(timeline, p, report);
    check_labels_grow(timeline, p, report);
  }
}

}  // namespace ringcast::sim
