// SPDX-License-Identifier: Apache-2.0
//
// Memory first, then the spool.
#include "tools/ringlog-publish/intake.hpp"

#include <utility>

#include "tools/ringlog-publish/batch.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::seconds spool_pause{1};

}  // namespace

Intake::Intake(std::size_t memory_bytes_max, std::size_t window_bytes, std::optional<Spool> spool)
    : memory_bytes_max_(memory_bytes_max), outbox_(window_bytes), spool_(std::move(spool)) {}

bool Intake::may_spool(std::size_t bytes, Instant now) const {
  return spool_ && now >= spool_retry_ && spool_->has_room(bytes);
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
    if (spooled) return;
    complain(spooled.error(), now);
  }
  (void)outbox_.accept(std::move(outgoing));
}

void Intake::complain(const Error& error, Instant now) {
  spool_retry_ = now + spool_pause;
  if (error.message == last_error_) return;
  last_error_ = error.message;
  notes_.push_back(error.message + "; lines stay in memory, trying again");
}

void Intake::refill() {
  while (spool_ && spool_->has_unread() && outbox_.bytes() < memory_bytes_max_ / 2) {
    auto spooled = spool_->read_next();
    if (!spooled) {
      notes_.push_back(spooled.error().message);
      return;
    }
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
  for (const auto number : not_in_spool()) {
    const auto& record = outbox_.record(number);
    const auto spooled =
        spool_ ? spool_->put_in_front(record.payload) : Result<void>(Error{Errc::io, "no --spool"});
    if (spooled) continue;
    failure = spooled.error().message;
    if (record.origin.source != spool_source) lost += record.lines;
  }
  if (spool_ && !failure.empty()) notes_.push_back(failure);
  sync();
  return lost;
}

// All that memory holds is older than what the spool still has unread. Up to the last record
// that is in memory only; a record from the spool between others is written once more, so
// that the order is right: the writers drop the second one.
std::vector<RecordNumber> Intake::not_in_spool() const {
  auto numbers = outbox_.all();
  while (!numbers.empty() && outbox_.record(numbers.back()).origin.source == spool_source) {
    numbers.pop_back();
  }
  return numbers;
}

void Intake::sync() {
  if (!spool_) return;
  if (const auto synced = spool_->sync(); !synced) notes_.push_back(synced.error().message);
}

bool Intake::is_empty() const { return outbox_.empty() && !(spool_ && spool_->has_unread()); }

std::vector<std::string> Intake::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
