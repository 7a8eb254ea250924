// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: applying the order to the file. How writers agree is in agreement.cpp.
#include "tools/ringlog-write/reconciler.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

std::string place_of(const Position& position) {
  return to_string(position.configuration) + "/" + std::to_string(position.seq) + "/" +
         std::to_string(position.index);
}

std::size_t weight_of(const Event& event) {
  constexpr std::size_t event_bytes = 256;
  const auto* message = std::get_if<Message>(&event);
  return event_bytes + (message == nullptr ? 0 : message->payload.size());
}

bool is_of_majority(const Message& message, const std::optional<Configuration>& configuration) {
  return configuration.has_value() && configuration->id == message.position.configuration &&
         configuration->has_majority();
}

// Adds where that line came from, which stands at `offset`.
void note_origin(
    std::vector<LineOrigin>& origins,
    const NamedLine& line,
    const FileEntry& entry,
    std::uint64_t offset) {
  if (line.is_marker || line.addition == nullptr) return;
  const auto& addition = *line.addition;
  auto* const last = origins.empty() ? nullptr : &origins.back();
  const bool goes_on = last != nullptr && last->producer.id == addition.producer.id &&
                       last->daemon == addition.daemon &&
                       last->first_seq + last->lines == line.seq && line.seq > addition.range.first;
  if (goes_on) {
    ++last->lines;
    return;
  }
  const auto position = entry.position.value_or(Position{});
  origins.push_back(LineOrigin{offset, 1, addition.producer, line.seq, addition.daemon, position});
}

// Where lines came from that are said to go on behind `end`; nothing when data and entries do
// not fit.
std::optional<std::vector<LineOrigin>> origins_of(
    FilePoint end, const std::vector<FileEntry>& entries, std::string_view data) {
  const auto begin = end.length;
  std::vector<LineOrigin> origins;
  for (const auto& entry : entries) {
    const auto bytes = entry.after.length - entry.before.length;
    if (entry.before != end || bytes > data.size()) return std::nullopt;
    EntryLines lines(entry, data.substr(0, static_cast<std::size_t>(bytes)));
    auto at = entry.before.length - begin;
    while (const auto line = lines.next()) {
      note_origin(origins, *line, entry, at);
      at = lines.here().length - begin;
    }
    if (!lines.is_done() || lines.here() != entry.after) return std::nullopt;
    data.remove_prefix(static_cast<std::size_t>(bytes));
    end = entry.after;
  }
  if (!data.empty()) return std::nullopt;
  return origins;
}

}  // namespace

bool is_acceptable(const Message& message, const std::optional<Configuration>& configuration) {
  if (message.transitional || message.service != Service::safe) return false;
  return is_of_majority(message, configuration);
}

PendingRecord pending_record(
    const Record& record,
    const Position& position,
    const std::string& why,
    const std::string& daemon) {
  PendingRecord pending;
  pending.configuration = position.configuration;
  pending.text = pending_head(record, place_of(position), why, daemon) + "\n";
  if (const auto* lines = std::get_if<Lines>(&record.body)) {
    for (const auto& line : lines->lines) {
      pending.text += line;
      pending.text += '\n';
    }
  } else {
    pending.text += loss_marker(record) + "\n";
  }
  pending.lines = range_of(record).count();
  return pending;
}

Reconciler::Reconciler(std::string group, const FileState& state)
    : group_(std::move(group)),
      writers_(writers_group(group_)),
      table_(state.table),
      gaps_(state.gaps),
      end_(state.end),
      position_(state.position) {}

void Reconciler::on_session(const MemberName& self, std::size_t table_bytes_max) {
  // Companions know the name of the last majority, hardly one of so many sessions before.
  constexpr std::size_t former_names_max = 100;
  if (!self_.empty()) formerly_.push_back(self_);
  if (formerly_.size() > former_names_max) formerly_.pop_front();
  self_ = to_string(self);
  std::erase(formerly_, self_);
  companions_.erase(self_);
  table_bytes_max_ = table_bytes_max;
  stage_ = Stage::joining;
  in_group_ = false;
  needs_restart_ = false;
  has_majority_ = false;
  has_come_to_majority_ = false;
  is_continuing_ = false;
  doubted_.clear();
  heard_.reset();
  configuration_.reset();
}

void Reconciler::on_event(Event event) {
  if (stage_ == Stage::away) return;
  if (late_.empty() && !begins_transition(event)) {
    take_event(std::move(event));
    return;
  }
  const auto* configuration = std::get_if<Configuration>(&event);
  if (configuration == nullptr) {
    late_.push_back(std::move(event));
    return;
  }
  end_transition(configuration->has_majority());
  take_event(std::move(event));
}

void Reconciler::take_event(Event event) {
  const auto* view = std::get_if<View>(&event);
  if (view != nullptr && view->group == group_) in_group_ = true;
  if (const auto* configuration = std::get_if<Configuration>(&event)) {
    hear(*configuration);
  } else if (const auto* message = std::get_if<Message>(&event)) {
    compare_in_majority(*message);
  }
  if (on_control(event)) {
    decide();
  } else if (stage_ == Stage::live) {
    apply(event);
  } else {
    hold(std::move(event));
  }
}

// What a writer elsewhere may have got as stable, and written. From here on all waits for the
// next configuration, so that what is said of the file at a view holds for its beginning.
bool Reconciler::begins_transition(const Event& event) const {
  const auto* message = std::get_if<Message>(&event);
  return message != nullptr && message->transitional && message->service == Service::safe &&
         stage_ == Stage::live && doubted_.empty() && is_of_majority(*message, configuration_);
}

void Reconciler::end_transition(bool has_majority) {
  for (auto& event : std::exchange(late_, {})) {
    if (auto* message = std::get_if<Message>(&event)) {
      message->transitional = message->transitional && !has_majority;
    }
    take_event(std::move(event));
  }
}

void Reconciler::hold(Event event) {
  held_bytes_ += weight_of(event);
  held_.push_back(std::move(event));
}

void Reconciler::on_session_end() {
  end_transition(false);
  for (auto* events : {&before_, &held_}) {
    for (const auto& event : *events) {
      apply_before(event);
    }
    events->clear();
  }
  held_bytes_ = 0;
  comparison_.end();
  members_.clear();
  excluded_.clear();
  announced_.clear();
  target_.reset();
  output_.messages.clear();
  stage_ = Stage::away;
  in_group_ = false;
  in_step_ = false;
  needs_restart_ = false;
}

Result<void> Reconciler::append_fetched(
    const std::vector<FileEntry>& entries, std::string_view data) {
  const bool is_too_much =
      target_ && !entries.empty() && entries.back().after.length > target_->end.length;
  auto origins = origins_of(end_, entries, data);
  if (is_too_much || !origins) {
    return Error{Errc::corrupt, "lines of another writer's file do not make the chain they claim"};
  }
  for (const auto& entry : entries) {
    for (const auto& addition : entry.additions) {
      auto& table = addition.as == AddedAs::gap ? gaps_ : table_;
      (void)table.add(addition.producer, addition.range);
    }
    counters_.fetched_lines += entry.after.lines - entry.before.lines;
    if (entry.position) position_ = entry.position;
    end_ = entry.after;
    output_.entries.push_back(entry);
  }
  for (auto& origin : *origins) {
    origin.offset += output_.data.size();
    output_.origins.push_back(std::move(origin));
  }
  output_.data += data;
  entry_may_grow_ = false;
  if (target_ && end_ == target_->end) get_in_step(std::exchange(chosen_, Statement{}));
  return {};
}

void Reconciler::on_cut(const FileState& state, std::uint64_t lines) {
  table_ = state.table;
  gaps_ = state.gaps;
  end_ = state.end;
  position_ = state.position;
  counters_.cut_lines += lines;
  entry_may_grow_ = false;
  if (target_ && end_ == target_->end) get_in_step(std::exchange(chosen_, Statement{}));
}

// What only this file had and no pending file has now is nowhere: all are to mark it as a gap.
void Reconciler::go_on_behind(const FileState& state, std::uint64_t lines) {
  const auto missing = state.table.minus(table_);
  ++counters_.unkept;
  counters_.unkept_lines += missing.count();
  counters_.cut_lines += lines;
  std::string report =
      "no writer keeps what follows byte " + std::to_string(end_.length) + " (line " +
      std::to_string(end_.lines) + ") of this file any more; it goes on with byte " +
      std::to_string(state.end.length) + ", line " + std::to_string(state.end.lines + 1) +
      ", and lacks " + std::to_string(missing.count()) + " lines in front of it";
  if (lines > 0) report += "; " + std::to_string(lines) + " lines of its own are offered to all";
  constexpr std::size_t producers_told_max = 100;
  if (!missing.empty() && missing.entries().size() <= producers_told_max) {
    report += ": " + unkept_marker(missing, end_.length, end_.lines, state.end);
  }
  output_.reports.push_back(std::move(report));
  promised_.merge(table_);
  table_ = state.table;
  gaps_ = state.gaps;
  end_ = state.end;
  position_ = state.position;
  entry_may_grow_ = false;
  if (target_ && end_ == target_->end) get_in_step(std::exchange(chosen_, Statement{}));
}

ReconcilerOutput Reconciler::take() {
  entry_may_grow_ = false;
  return std::exchange(output_, ReconcilerOutput{});
}

// Nobody can tell what was delivered while no writer ran, but the producers' own numbers do.
// What they tell is marked like anything else that is in no file in reach: by all writers, at
// one place.
void Reconciler::report_missed(const Record& record) {
  constexpr std::uint64_t reports_max = 10;
  const auto range = range_of(record);
  const auto& id = record.producer.id;
  if (resumed_.contains(id) || table_.missing_from(id, range).empty()) return;
  resumed_.insert(id);
  const auto last = table_.last_of(id);
  if (range.first <= last + 1) return;
  Table missed;
  (void)missed.add(record.producer, Range{last + 1, range.first - 1});
  for (const auto& [configuration, names] : segments_) {
    missed = missed.minus(names);
  }
  if (missed.empty()) return;
  (void)promised_.add(record.producer, Range{last + 1, range.first - 1});
  gap_told_at_.clear();
  tell_gap();
  if (++missed_reports_ > reports_max) return;
  output_.reports.push_back(
      "lines " + std::to_string(last + 1) + " to " + std::to_string(range.first - 1) + " of " +
      record.producer.name + " (" + to_string(id) +
      ") are not in the file: they came while no writer was there, or were lost when this one was "
      "killed" +
      (missed_reports_ == reports_max ? "; of further producers only the markers tell" : ""));
}

// What was delivered before the point at which we got in step: the others have applied it, or
// it is up to us to see that it is not lost.
void Reconciler::apply_before(const Event& event) {
  const auto* message = std::get_if<Message>(&event);
  if (message == nullptr) {
    apply(event);
    return;
  }
  const auto record = message->type == record_type
                          ? decode_record(message->payload)
                          : Result<Record>(Error{Errc::malformed, "no record"});
  if (!record || record->first_seq == 0) return;
  if (!accepts(*message)) {
    apply(event);
  } else {
    set_aside(*message, *record, "not in step");
  }
}

void Reconciler::apply(const Event& event) {
  if (const auto* configuration = std::get_if<Configuration>(&event)) {
    configuration_ = *configuration;
    ++counters_.configurations;
    if (stage_ == Stage::live) tell_segments();
  } else if (const auto* message = std::get_if<Message>(&event)) {
    apply_message(*message);
  } else if (const auto* view = std::get_if<View>(&event)) {
    if (view->group == group_) ++counters_.views;
  }
}

void Reconciler::apply_message(const Message& message) {
  if (message.type == table_type) {
    apply_news(message);
    return;
  }
  if (message.type == writer_type) {
    const auto decoded = decode_writer_message(message.payload);
    if (decoded) apply_offer(message, std::get<Offer>(*decoded));
    return;
  }
  if (std::find(message.groups.begin(), message.groups.end(), group_) == message.groups.end()) {
    return;
  }
  const auto record = message.type == record_type
                          ? decode_record(message.payload)
                          : Result<Record>(Error{Errc::malformed, "another message type"});
  if (!record) {
    if (counters_.foreign++ == 0) {
      output_.reports.push_back(
          "ignored a message of " + to_string(message.sender) +
          " that is no log record: " + record.error().message + "; further ones are only counted");
    }
    return;
  }
  auto& progress = output_.progress[message.sender];
  extend(progress.written, Progress{message.position, message.position});
  progress.bytes += message.payload.size();
  progress.is_awaited = progress.is_awaited || record->wants_receipt;
  if (record->first_seq != 0) apply_record(message, *record);
}

bool Reconciler::accepts(const Message& message) const {
  return doubted_.empty() && is_acceptable(message, configuration_);
}

void Reconciler::apply_record(const Message& message, const Record& record) {
  if (accepts(message)) {
    if (is_resuming_) report_missed(record);
    write_record(record, message.sender.daemon, message.position);
    set_position(message.position);
    return;
  }
  output_.progress[message.sender].is_awaited = true;
  set_aside(
      message,
      record,
      message.service != Service::safe          ? "not safe"
      : message.transitional                    ? "transitional"
      : is_of_majority(message, configuration_) ? "not in step"
                                                : "no majority");
}

void Reconciler::set_aside(const Message& message, const Record& record, const std::string& why) {
  // Nothing to keep when the file has all of it already; nor when it was set aside before: who
  // waits for a writer offers it again.
  const auto range = range_of(record);
  const auto& configuration = message.position.configuration;
  const bool is_written = table_.missing_from(record.producer.id, range).empty();
  const bool is_new = !segments_.contains(configuration);
  if (is_written || segments_[configuration].add(record.producer, range).empty()) {
    counters_.duplicates += range.count();
    if (is_new) segments_.erase(configuration);
    return;
  }
  if (is_new && stage_ == Stage::live) tell_segments();
  auto pending = pending_record(record, message.position, why, message.sender.daemon);
  counters_.pending_lines += pending.lines;
  output_.pending.push_back(std::move(pending));
}

void Reconciler::apply_news(const Message& message) {
  const auto news = decode_table(message.payload);
  if (!news || !news->is_news || !accepts(message)) return;
  const auto gap = news->table.minus(table_).minus(gaps_);
  if (gap.empty()) return;
  write_gap(gap);
  set_position(message.position);
}

void Reconciler::apply_offer(const Message& message, const Offer& offer) {
  if (!accepts(message)) return;
  Table fresh;
  for (const auto& [record, daemon] : offer.records) {
    for (const auto& part : table_.missing_from(record.producer.id, range_of(record))) {
      (void)fresh.add(record.producer, part);
    }
  }
  if (fresh.empty()) return;
  write_line(merged_marker(offer.configuration, fresh.count()), true, 0);
  for (const auto& [record, daemon] : offer.records) {
    write_record(record, daemon, message.position);
  }
  counters_.merged_lines += fresh.count();
  set_position(message.position);
}

// Of the last record in the file; one of which nothing was new does not count.
void Reconciler::set_position(const Position& position) {
  if (!entry_may_grow_) return;
  position_ = position;
  output_.entries.back().position = position;
}

void Reconciler::write_record(
    const Record& record, const std::string& daemon, const Position& position) {
  const auto range = range_of(record);
  const auto added = table_.add(record.producer, range);
  auto duplicates = range.count();
  const auto* lines = std::get_if<Lines>(&record.body);
  for (const auto& part : added) {
    duplicates -= part.count();
    if (lines == nullptr) {
      const auto* dropped = std::get_if<Dropped>(&record.body);
      const auto lost = dropped != nullptr ? dropped->lines : 1;
      counters_.lost_lines += lost;
      add_addition(Addition{record.producer, part, AddedAs::loss, daemon});
      write_line(loss_marker(record), true, lost);
      continue;
    }
    output_.origins.push_back(LineOrigin{
        output_.data.size(), part.count(), record.producer, part.first, daemon, position});
    add_addition(Addition{record.producer, part, AddedAs::line, daemon});
    for (auto seq = part.first; seq <= part.last; ++seq) {
      write_line(lines->lines[static_cast<std::size_t>(seq - record.first_seq)], false, 0);
    }
  }
  counters_.duplicates += duplicates;
}

void Reconciler::write_gap(const Table& missing) {
  for (const auto& [id, entry] : missing.entries()) {
    for (const auto& range : entry.seen.ranges()) {
      add_addition(Addition{Producer{id, entry.name}, range, AddedAs::gap});
    }
  }
  gaps_.merge(missing);
  write_line(gap_marker(missing), true, missing.count());
  ++counters_.gaps;
  counters_.gap_lines += missing.count();
  output_.reports.push_back(
      std::to_string(missing.count()) +
      " lines are in no file in reach; a #ringlog-gap line marks their exact ranges, and they are "
      "written should they come after all");
}

FileEntry& Reconciler::growing_entry() {
  if (!entry_may_grow_) {
    FileEntry entry;
    entry.before = entry.after = end_;
    output_.entries.push_back(std::move(entry));
    entry_may_grow_ = true;
  }
  return output_.entries.back();
}

void Reconciler::add_addition(const Addition& addition) {
  add(growing_entry().additions, addition);
}

void Reconciler::write_line(std::string_view line, bool is_marker, std::uint64_t missing) {
  auto& entry = growing_entry();
  if (is_marker) {
    entry.markers.push_back(FileMarker{end_.length, missing});
  } else {
    ++end_.lines;
  }
  end_.length += line.size() + 1;
  end_.chain = chain_line(end_.chain, line);
  entry.after = end_;
  output_.data += line;
  output_.data += '\n';
}

void Reconciler::send(std::int32_t type, std::vector<std::byte> payload) {
  output_.messages.push_back(ToWriters{type, std::move(payload)});
}

void Reconciler::send(const TableMessage& message) {
  for (auto& part : encode_in_parts(message, table_bytes_max_)) {
    send(table_type, std::move(part));
  }
}

}  // namespace ringcast::ringlog
