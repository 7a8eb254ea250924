// SPDX-License-Identifier: Apache-2.0
//
// Records into notes, neighbours into one.
#include "tools/ringlog-publish/loss_notes.hpp"

#include <limits>
#include <utility>
#include <variant>

namespace ringcast::ringlog {

namespace {

Dropped loss_of(const Record& record) {
  if (const auto* dropped = std::get_if<Dropped>(&record.body)) return *dropped;
  if (const auto* too_long = std::get_if<TooLong>(&record.body)) {
    return Dropped{1, too_long->bytes};
  }
  Dropped loss{0, 0, static_cast<std::uint32_t>(range_of(record).count())};
  if (const auto* lines = std::get_if<Lines>(&record.body)) {
    loss.lines = lines->lines.size();
    for (const auto& line : lines->lines) {
      loss.bytes += line.size();
    }
  }
  return loss;
}

bool adjoins(const Record& before, const Record& next) {
  const auto numbers = range_of(before).count() + range_of(next).count();
  return before.producer.id == next.producer.id && range_of(before).last + 1 == next.first_seq &&
         numbers <= std::numeric_limits<std::uint32_t>::max();
}

}  // namespace

void LossNotes::add(std::span<const std::byte> payload) {
  auto record = decode_record(payload);
  if (!record || std::holds_alternative<Settle>(record->body)) return;
  const auto loss = loss_of(*record);
  if (!std::holds_alternative<Dropped>(record->body)) fresh_lines_ += loss.lines;
  record->body = loss;
  if (records_.empty() || !adjoins(records_.back(), *record)) {
    records_.push_back(std::move(record).value());
    return;
  }
  auto& all = std::get<Dropped>(records_.back().body);
  all.lines += loss.lines;
  all.bytes += loss.bytes;
  all.numbers += loss.numbers;
}

}  // namespace ringcast::ringlog
