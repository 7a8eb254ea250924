// SPDX-License-Identifier: Apache-2.0
//
// Memory first, then the spool.
#include "tools/ringlog-publish/intake.hpp"

#include <utility>

#include "tools/ringlog-publish/batch.hpp"

namespace ringcast::ringlog {

Intake::Intake(std::size_t memory_bytes_max, std::size_t window_bytes, std::optional<Spool> spool)
    : memory_bytes_max_(memory_bytes_max), outbox_(window_bytes), spool_(std::move(spool)) {}

bool Intake::may_spool(std::size_t bytes, Instant now) const {
  return spool_ && appending_.may_try(now) && spool_->has_room(bytes);
}

bool Intake::has_room(std::size_t bytes, std::size_t held, Instant now) const {
  const auto wanted = bytes + held + record_overhead_bytes_max;
  const bool behind_spool = spool_ && spool_->has_unread();
  if (!behind_spool && outbox_.bytes() + wanted <= memory_bytes_max_) return true;
  return may_spool(wanted, now);
}

void Intake::accept(const Record& record, Origin origin, Instant now) {
  OutgoingRecord outgoing;
  outgoing.payload = encode(record);
  outgoing.lines = line_count(record);
  outgoing.origin = origin;
  const auto bytes = outgoing.payload.size();
  const bool behind_spool = spool_ && spool_->has_unread();
  const bool in_memory = !behind_spool && outbox_.bytes() + bytes <= memory_bytes_max_;
  if (!in_memory && origin.source == input_source && may_spool(bytes, now)) {
    const auto spooled = spool_->append(outgoing.payload);
    if (spooled) {
      appending_.on_success(now);
      return;
    }
    complain(appending_, spooled.error().message + "; lines stay in memory, trying again", now);
  }
  (void)outbox_.accept(std::move(outgoing));
}

void Intake::complain(Trouble& trouble, const std::string& what, Instant now) {
  if (trouble.on_failure(what, now)) notes_.push_back(what);
}

void Intake::refill(Instant now) {
  if (!reading_.may_try(now)) return;
  while (spool_ && spool_->has_unread() && outbox_.bytes() < memory_bytes_max_ / 2) {
    auto spooled = spool_->read_next();
    if (!spooled) {
      complain(reading_, spooled.error().message, now);
      return;
    }
    reading_.on_success(now);
    const auto record = decode_record(spooled->payload);
    OutgoingRecord outgoing;
    outgoing.payload = std::move(spooled->payload);
    outgoing.lines = record ? line_count(*record) : 0;
    outgoing.origin = Origin{spool_source, spooled->segment};
    (void)outbox_.accept(std::move(outgoing));
  }
}

void Intake::on_spool_settled(std::uint64_t segment) {
  if (!spool_) return;
  if (const auto removed = spool_->on_settled(segment); !removed) {
    notes_.push_back(removed.error().message);
  }
}

std::uint64_t Intake::put_away() {
  std::uint64_t lost = 0;
  std::string failure;
  std::vector<std::uint64_t> written_again;
  for (const auto number : to_put_in_front()) {
    const auto& record = outbox_.record(number);
    const bool is_in_spool = record.origin.source == spool_source;
    const auto spooled =
        spool_ ? spool_->put_in_front(record.payload) : Result<void>(Error{Errc::io, "no --spool"});
    if (!spooled) {
      failure = spooled.error().message;
      if (!is_in_spool) lost += record.lines;
    } else if (is_in_spool) {
      written_again.push_back(record.origin.mark);
    }
  }
  if (!spool_) return lost;
  if (!failure.empty()) notes_.push_back(failure);
  if (const auto synced = spool_->sync(); !synced) {
    notes_.push_back(synced.error().message);
    return lost;
  }
  for (const auto segment : written_again) {
    on_spool_settled(segment);
  }
  return lost;
}

// All that memory holds is older than what the spool still has unread. Up to the last record
// that is in memory only; a record from the spool between others moves to the front with them, so
// that the order is right.
std::vector<RecordNumber> Intake::to_put_in_front() const {
  auto numbers = outbox_.all();
  while (!numbers.empty() && outbox_.record(numbers.back()).origin.source == spool_source) {
    numbers.pop_back();
  }
  return numbers;
}

void Intake::sync(Instant now) {
  if (!spool_ || !syncing_.may_try(now)) return;
  const auto synced = spool_->sync();
  if (synced) {
    syncing_.on_success(now);
  } else {
    complain(syncing_, synced.error().message + "; trying again", now);
  }
}

bool Intake::is_empty() const { return outbox_.empty() && !(spool_ && spool_->has_unread()); }

std::vector<std::string> Intake::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
