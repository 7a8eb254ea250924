// SPDX-License-Identifier: Apache-2.0
//
// Lines into records.
#include "tools/ringlog-publish/batch.hpp"

namespace ringcast::ringlog {

Batch::Batch(const Producer& producer, std::uint64_t next_seq, LinesEncoder::Options encoding)
    : producer_(producer),
      next_seq_(next_seq),
      wants_receipt_(encoding.wants_receipt),
      encoder_(producer, encoding) {}

std::optional<OutgoingRecord> Batch::take() {
  if (encoder_.empty()) return std::nullopt;
  OutgoingRecord record;
  record.lines = encoder_.count();
  record.payload = encoder_.take(next_seq_);
  next_seq_ += record.lines;
  return record;
}

OutgoingRecord Batch::note(const Dropped& dropped) {
  return OutgoingRecord{encode(Record{producer_, next_seq_++, dropped, wants_receipt_})};
}

OutgoingRecord Batch::note(const TooLong& too_long) {
  return OutgoingRecord{encode(Record{producer_, next_seq_++, too_long, wants_receipt_})};
}

}  // namespace ringcast::ringlog
