// SPDX-License-Identifier: Apache-2.0
//
// Memory first, then the spool.
#include "tools/ringlog-publish/intake.hpp"

#include <utility>

#include "tools/ringlog/record.hpp"
#include "tools/ringlog/record_head.hpp"

namespace ringcast::ringlog {

Intake::Intake(std::size_t memory_bytes_max, Outbox outbox, std::optional<Spool> spool)
    : memory_bytes_max_(memory_bytes_max), outbox_(std::move(outbox)), spool_(std::move(spool)) {}

namespace {

std::uint64_t line_count(std::span<const std::byte> payload) {
  const auto head = head_of_record(payload);
  if (!head) return 0;
  const bool is_lines = head->kind == RecordKind::lines || head->kind == RecordKind::packed_lines;
  return is_lines ? head->count : 0;
}

}  // namespace

bool Intake::may_spool(std::size_t bytes, Instant now) const {
  return spool_ && appending_.may_try(now) && spool_->has_room(bytes);
}

bool Intake::fits_in_memory(std::size_t bytes) const {
  return outbox_.bytes() + held_bytes_ + bytes <= memory_bytes_max_;
}

bool Intake::has_room(std::size_t bytes, std::size_t held, Instant now) const {
  const auto wanted = bytes + held + record_overhead_bytes_max;
  const bool uses_memory = !is_behind() || !held_.empty();
  return (uses_memory && fits_in_memory(wanted)) || (held_.empty() && may_spool(wanted, now));
}

void Intake::accept(OutgoingRecord record, Instant now) {
  const bool is_input = record.origin.source == input_source;
  const bool in_memory = !is_behind() && fits_in_memory(record.payload.size());
  if (!is_input || !spool_ || in_memory) {
    (void)outbox_.accept(std::move(record));
    return;
  }
  held_bytes_ += record.payload.size();
  held_lines_ += record.lines;
  held_.push_back(std::move(record));
  place_held(now);
}

// Into the outbox when nothing is before it and there is room, else into the spool.
void Intake::place_held(Instant now) {
  while (!held_.empty()) {
    auto& record = held_.front();
    const auto bytes = record.payload.size();
    const auto lines = record.lines;
    if (!spool_->has_unread() && outbox_.bytes() + bytes <= memory_bytes_max_) {
      (void)outbox_.accept(std::move(record));
    } else if (!may_spool(bytes, now) || !spool(record, now)) {
      return;
    }
    held_bytes_ -= bytes;
    held_lines_ -= lines;
    held_.pop_front();
  }
}

bool Intake::spool(const OutgoingRecord& record, Instant now) {
  const auto spooled = spool_->append(record.payload);
  if (spooled) {
    appending_.on_success(now);
  } else {
    complain(appending_, spooled.error().message + "; lines stay in memory, trying again", now);
  }
  return spooled.ok();
}

bool Intake::make_room(std::size_t bytes, std::size_t held, Instant now) {
  while (!has_room(bytes, held, now)) {
    if (!drop_oldest(held_bytes_ + bytes + held + record_overhead_bytes_max, now)) return false;
    place_held(now);
  }
  return true;
}

bool Intake::drop_oldest(std::size_t bytes, Instant now) {
  if (!spool_) {
    const auto lines = outbox_.drop_oldest(input_source);
    if (lines) count_dropped(*lines, "memory is full");
    return lines.has_value();
  }
  if (!appending_.may_try(now)) return false;
  const auto lines = spool_->drop_for(bytes);
  if (!lines) {
    complain(appending_, lines.error().message, now);
    return false;
  }
  if (lines->has_value()) count_dropped(**lines, "the spool is full");
  return lines->has_value();
}

void Intake::drop_older_than(std::chrono::seconds age, Instant now) {
  if (!spool_ || !appending_.may_try(now)) return;
  const auto lines = spool_->drop_older_than(std::chrono::file_clock::now() - age);
  if (!lines) {
    complain(appending_, lines.error().message, now);
  } else if (*lines > 0) {
    told_dropping_ = false;
    count_dropped(*lines, "they have waited too long");
  }
}

// Told again when all had gone well for a while; the number is in the summary and on record.
void Intake::count_dropped(std::uint64_t lines, const std::string& why) {
  dropped_ += lines;
  if (!std::exchange(told_dropping_, true)) notes_.push_back(why + ": dropping the oldest lines");
}

void Intake::complain(Trouble& trouble, const std::string& what, Instant now) {
  if (trouble.on_failure(what, now)) notes_.push_back(what);
}

void Intake::refill(Instant now) {
  place_held(now);
  if (!reading_.may_try(now)) return;
  if (outbox_.bytes() < memory_bytes_max_ / 4) told_dropping_ = false;
  while (spool_ && spool_->has_unread() && outbox_.bytes() < memory_bytes_max_ / 2) {
    auto spooled = spool_->read_next();
    if (!spooled) {
      complain(reading_, spooled.error().message, now);
      return;
    }
    reading_.on_success(now);
    OutgoingRecord outgoing;
    outgoing.lines = line_count(spooled->payload);
    outgoing.payload = std::move(spooled->payload);
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

PutAway Intake::put_away() {
  PutAway lines;
  for (const auto number : outbox_.all()) {
    const auto& record = outbox_.record(number);
    if (record.origin.source == spool_source) lines.spooled += record.lines;
  }
  std::vector<std::uint64_t> written_again;
  for (const auto number : to_put_in_front()) {
    const auto& record = outbox_.record(number);
    const auto origin = record.origin;
    if (origin.source != spool_source && origin.source != input_source) continue;  // kept there
    const bool is_put = put_in_front(record);
    if (origin.source == input_source) {
      (is_put ? lines.spooled : lines.lost) += record.lines;
    } else if (is_put) {
      written_again.push_back(origin.mark);
    }
  }
  if (!spool_) return lines;
  put_away_held(lines);
  if (const auto synced = spool_->sync_now(); !synced) {
    notes_.push_back(synced.error().message);
    return lines;
  }
  for (const auto segment : written_again) {
    on_spool_settled(segment);
  }
  return lines;
}

// They are the newest.
void Intake::put_away_held(PutAway& lines) {
  const auto now = std::chrono::steady_clock::now();
  for (; !held_.empty(); held_.pop_front()) {
    (spool(held_.front(), now) ? lines.spooled : lines.lost) += held_.front().lines;
  }
}

bool Intake::put_in_front(const OutgoingRecord& record) {
  if (!spool_) return false;
  const auto spooled = spool_->put_in_front(record.payload);
  if (!spooled) complain(appending_, spooled.error().message, std::chrono::steady_clock::now());
  return spooled.ok();
}

// All that memory holds is older than what the spool still has unread. Up to the last record
// that is in memory only; a record from the spool between others moves to the front with them, so
// that the order is right.
std::vector<RecordNumber> Intake::to_put_in_front() const {
  auto numbers = outbox_.all();
  while (!numbers.empty() && outbox_.record(numbers.back()).origin.source != input_source) {
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

bool Intake::is_empty() const { return outbox_.empty() && !is_behind(); }

std::vector<std::string> Intake::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
