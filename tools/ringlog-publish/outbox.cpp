// SPDX-License-Identifier: Apache-2.0
//
// Outbox: waiting -> in flight -> confirmed -> settled, and back to waiting.
#include "tools/ringlog-publish/outbox.hpp"

#include <utility>

namespace ringcast::ringlog {

RecordNumber Outbox::accept(OutgoingRecord record) {
  const auto number = next_number_++;
  bytes_ += record.payload.size();
  lines_ += record.lines;
  records_.emplace(number, Item{std::move(record), State::waiting, {}, {}, 0});
  waiting_.emplace(number, false);
  return number;
}

void Outbox::replace(RecordNumber number, OutgoingRecord record) {
  auto& item = records_.at(number);
  bytes_ = bytes_ - item.record.payload.size() + record.payload.size();
  lines_ = lines_ - item.record.lines + record.lines;
  item.record = std::move(record);
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
    item.configuration = confirmation.position.configuration;
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

std::vector<Origin> Outbox::on_written(const Progress& progress) {
  std::vector<Origin> origins;
  // Positions of one configuration stand together in the map.
  auto it = set_aside_.lower_bound(progress.first);
  while (it != set_aside_.end() && it->first <= progress.last) {
    const auto number = it->second;
    it = set_aside_.erase(it);
    origins.push_back(records_.at(number).record.origin);
    forget(number);
  }
  return origins;
}

void Outbox::retry_set_aside() {
  while (!set_aside_.empty()) {
    wait_again(set_aside_.begin()->second);
  }
}

std::vector<Origin> Outbox::settle(std::uint64_t sent_at, const ConfigurationId& configuration) {
  std::map<RecordNumber, Origin> settled;
  while (!confirmed_.empty() && confirmed_.begin()->first <= sent_at) {
    const auto number = confirmed_.begin()->second;
    auto& item = records_.at(number);
    if (item.configuration != configuration) {
      wait_again(number);
      continue;
    }
    confirmed_.erase(confirmed_.begin());
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
