// SPDX-License-Identifier: Apache-2.0
//
// Outbox: waiting -> in flight -> confirmed -> settled, and back to waiting.
#include "tools/ringlog-publish/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tools/ringlog-publish/loss_notes.hpp"

namespace ringcast::ringlog {

RecordNumber Outbox::accept(OutgoingRecord record) {
  const auto number = next_number_++;
  bytes_ += record.payload.size();
  lines_ += record.lines;
  records_.emplace(number, Item{std::move(record), State::waiting, {}, 0});
  waiting_.emplace(number, false);
  return number;
}

void Outbox::replace(RecordNumber number, OutgoingRecord record) {
  auto& item = records_.at(number);
  bytes_ = bytes_ - item.record.payload.size() + record.payload.size();
  lines_ = lines_ - item.record.lines + record.lines;
  item.record = std::move(record);
}

std::optional<std::uint64_t> Outbox::drop_oldest(std::uint32_t source) {
  for (const auto& [number, was_sent] : waiting_) {
    const auto& record = records_.at(number).record;
    if (was_sent || record.lines == 0 || record.origin.source != source) continue;
    const auto lines = record.lines;
    drop(number);
    return lines;
  }
  return std::nullopt;
}

// The note becomes one with a note right before it, or a long time of dropping would fill the
// memory with notes.
void Outbox::drop(RecordNumber number) {
  const auto it = records_.find(number);
  const auto origin = it->second.record.origin;
  LossNotes notes;
  if (it != records_.begin()) {
    const auto before = std::prev(it);
    const auto waiting = waiting_.find(before->first);
    const bool is_unsent_note = waiting != waiting_.end() && !waiting->second &&
                                before->second.record.lines == 0 &&
                                before->second.record.origin.source == origin.source;
    if (is_unsent_note) notes.add(before->second.record.payload);
  }
  const auto older = notes.records().size();
  notes.add(it->second.record.payload);
  replace(number, OutgoingRecord{encode(notes.records().back()), 0, origin});
  if (older == 0 || notes.records().size() > older) return;
  const auto before = std::prev(it);
  bytes_ -= before->second.record.payload.size();
  waiting_.erase(before->first);
  records_.erase(before);
}

std::optional<RecordNumber> Outbox::next() const {
  if (waiting_.empty()) return std::nullopt;
  const auto number = waiting_.begin()->first;
  const auto bytes = records_.at(number).record.payload.size();
  // One record always fits, or a long line could never leave.
  if (window_used_ > 0 && window_used_ + bytes > window_bytes_) return std::nullopt;
  return number;
}

const OutgoingRecord& Outbox::record(RecordNumber number) const {
  return records_.at(number).record;
}

bool Outbox::needs_settle() const {
  // Nothing can be sent that would settle them: all is sent, or the window is full of them.
  return !confirmed_.empty() && flights_.empty() && !next().has_value();
}

void Outbox::on_sent(RecordNumber number, std::uint64_t ticket) {
  auto& item = records_.at(number);
  const auto waiting = waiting_.find(number);
  if (waiting->second) ++sent_again_;
  waiting_.erase(waiting);
  item.state = State::in_flight;
  window_used_ += item.record.payload.size();
  flights_.emplace(ticket, Flight{number, confirmations_});
}

void Outbox::on_settle_sent(std::uint64_t ticket) {
  flights_.emplace(ticket, Flight{std::nullopt, confirmations_});
}

void Outbox::wait_again(RecordNumber number) {
  auto& item = records_.at(number);
  if (item.state == State::waiting) return;
  if (item.state == State::confirmed) confirmed_.erase(item.confirmed_at);
  if (item.state == State::set_aside) set_aside_.erase(item.position);
  if (item.state == State::unreceipted) unreceipted_.erase(item.position);
  window_used_ -= item.record.payload.size();
  item.state = State::waiting;
  waiting_.emplace(number, true);
}

std::size_t Outbox::bytes_in_flight(std::uint64_t ticket) const {
  const auto flight = flights_.find(ticket);
  if (flight == flights_.end() || !flight->second.number) return 0;
  return records_.at(*flight->second.number).record.payload.size();
}

std::vector<Origin> Outbox::on_confirmation(const Confirmation& confirmation, bool has_majority) {
  const auto flight = flights_.find(confirmation.ticket);
  if (flight == flights_.end()) return {};
  const auto [number, sent_at] = flight->second;
  flights_.erase(flight);
  ++confirmations_;
  if (!confirmation.is_kept()) {
    if (number) wait_again(*number);
    return {};
  }
  if (number && !has_majority) {
    auto& item = records_.at(*number);
    item.state = State::set_aside;
    item.position = confirmation.position;
    set_aside_.emplace(confirmation.position, *number);
  } else if (number) {
    auto& item = records_.at(*number);
    item.state = State::confirmed;
    item.position = confirmation.position;
    item.confirmed_at = confirmations_;
    confirmed_.emplace(confirmations_, *number);
  }
  return settle(sent_at, confirmation.position.configuration);
}

void Outbox::forget(RecordNumber number) {
  const auto& record = records_.at(number).record;
  window_used_ -= record.payload.size();
  bytes_ -= record.payload.size();
  lines_ -= record.lines;
  records_.erase(number);
}

std::vector<Origin> Outbox::on_written(const MemberName& writer, const Progress& progress) {
  receipts_[writer] = progress;
  std::vector<Origin> origins;
  take_receipted(set_aside_, progress, origins);
  take_receipted(unreceipted_, progress, origins);
  return origins;
}

std::size_t Outbox::receipts_for(const Position& position) const {
  const auto count = std::count_if(receipts_.begin(), receipts_.end(), [&](const auto& receipt) {
    return receipt.second.first <= position && position <= receipt.second.last;
  });
  return static_cast<std::size_t>(count);
}

void Outbox::take_receipted(
    std::map<Position, RecordNumber>& waiting,
    const Progress& progress,
    std::vector<Origin>& origins) {
  const auto needed = std::max<std::size_t>(writers_required_, 1);
  // Positions of one configuration stand together in the map.
  auto it = waiting.lower_bound(progress.first);
  while (it != waiting.end() && it->first <= progress.last) {
    const auto [position, number] = *it;
    if (receipts_for(position) < needed) {
      ++it;
      continue;
    }
    it = waiting.erase(it);
    origins.push_back(records_.at(number).record.origin);
    forget(number);
  }
}

void Outbox::retry_set_aside() {
  constexpr std::size_t writers_max = 100;  // remembered, that may have gone long ago
  if (receipts_.size() > writers_max) receipts_.clear();
  while (!set_aside_.empty()) {
    wait_again(set_aside_.begin()->second);
  }
  while (!unreceipted_.empty()) {
    wait_again(unreceipted_.begin()->second);
  }
}

std::vector<Origin> Outbox::settle(std::uint64_t sent_at, const ConfigurationId& configuration) {
  std::map<RecordNumber, Origin> settled;
  while (!confirmed_.empty() && confirmed_.begin()->first <= sent_at) {
    const auto number = confirmed_.begin()->second;
    auto& item = records_.at(number);
    if (item.position.configuration != configuration) {
      wait_again(number);
      continue;
    }
    confirmed_.erase(confirmed_.begin());
    if (receipts_for(item.position) < writers_required_) {
      item.state = State::unreceipted;
      unreceipted_.emplace(item.position, number);
      continue;
    }
    settled.emplace(number, item.record.origin);
    forget(number);
  }
  std::vector<Origin> origins;
  origins.reserve(settled.size());
  for (const auto& [number, origin] : settled) {
    origins.push_back(origin);
  }
  return origins;
}

std::optional<RecordNumber> Outbox::on_refused(std::uint64_t ticket) {
  const auto flight = flights_.find(ticket);
  if (flight == flights_.end()) return std::nullopt;
  const auto number = flight->second.number;
  flights_.erase(flight);
  if (number) wait_again(*number);
  return number;
}

void Outbox::on_session_end() {
  flights_.clear();
  receipts_.clear();
  for (const auto& [number, item] : records_) {
    wait_again(number);
  }
}

std::vector<RecordNumber> Outbox::all() const {
  std::vector<RecordNumber> numbers;
  numbers.reserve(records_.size());
  for (const auto& [number, item] : records_) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace ringcast::ringlog
