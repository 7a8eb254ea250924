// SPDX-License-Identifier: Apache-2.0
//
// Records, without what was there before.
#include "tools/ringlog-monitor/ring_lines.hpp"

#include <variant>

#include "tools/ringlog-write/writer_message.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::uint32_t holes_max = 4096;

}  // namespace

std::vector<ringlog::Range> RingLines::note(const ringlog::ProducerId& id, ringlog::Range range) {
  auto found = index_.find(id);
  if (found == index_.end()) {
    if (producers_.size() >= producers_max) {
      index_.erase(producers_.front().id);
      producers_.pop_front();
    }
    producers_.push_back(Producer{id, range.first, {}, 0});
    found = index_.emplace(id, std::prev(producers_.end())).first;
  } else {
    producers_.splice(producers_.end(), producers_, found->second);
  }
  auto& producer = *found->second;
  const bool makes_hole = producer.seen.empty() || range.first > producer.seen.last() + 1;
  if (makes_hole && ++producer.holes > holes_max) {
    // So many gaps are no session that was lost: what lies in them is given up.
    producer.holes = 0;
    producer.seen = {};
    (void)producer.seen.add(ringlog::Range{0, range.first - 1});
  }
  const auto last = producer.seen.empty() ? range.first - 1 : producer.seen.last();
  if (range.first > last + 1) counters_.missed += range.first - last - 1;
  auto fresh = producer.seen.add(range);
  for (const auto& part : fresh) {
    const bool was_missed = part.first > producer.first && part.last < last;
    if (was_missed) counters_.missed -= part.count();  // it has come after all
  }
  return fresh;
}

void RingLines::take(const Message& message, LineSink& sink, Instant now) {
  if (message.type == ringlog::writer_type) {
    take_offer(message, sink, now);
    return;
  }
  if (message.type != ringlog::record_type) {
    ++counters_.foreign;
    return;
  }
  const auto record = ringlog::decode_record(message.payload);
  if (!record) {
    ++counters_.malformed;
    return;
  }
  ++counters_.records;
  if (!std::holds_alternative<ringlog::Settle>(record->body)) {
    add(*record, Origin{message.sender.daemon, record->producer.name, message.groups}, sink, now);
  }
}

void RingLines::take_offer(const Message& message, LineSink& sink, Instant now) {
  const auto decoded = ringlog::decode_writer_message(message.payload);
  if (!decoded) {
    ++counters_.malformed;
    return;
  }
  const auto* const offer = std::get_if<ringlog::Offer>(&*decoded);
  if (offer == nullptr) return;
  for (const auto& [record, daemon] : offer->records) {
    ++counters_.records;
    if (std::holds_alternative<ringlog::Settle>(record.body)) continue;
    add(record, Origin{daemon, record.producer.name, message.groups}, sink, now);
  }
}

void RingLines::add(
    const ringlog::Record& record, const Origin& origin, LineSink& sink, Instant now) {
  const auto range = ringlog::range_of(record);
  const auto fresh = note(record.producer.id, range);
  const auto* const lines = std::get_if<ringlog::Lines>(&record.body);
  std::uint64_t fresh_count = 0;
  for (const auto& part : fresh) {
    fresh_count += part.count();
    if (lines == nullptr) continue;
    for (auto seq = part.first; seq <= part.last; ++seq) {
      sink.add_line(lines->lines[seq - range.first], origin, now);
    }
  }
  counters_.duplicates += range.count() - fresh_count;
  if (fresh.empty() || lines != nullptr) return;
  const auto* const dropped = std::get_if<ringlog::Dropped>(&record.body);
  sink.add_lost(dropped == nullptr ? 1 : dropped->lines, origin, now);
}

}  // namespace ringcast::monitor
