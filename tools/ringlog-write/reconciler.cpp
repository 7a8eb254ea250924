// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: applying the order to the file, and comparing tables with other writers.
#include "tools/ringlog-write/reconciler.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

std::set<std::string> names_of(const std::vector<MemberName>& members) {
  std::set<std::string> names;
  for (const auto& member : members) {
    names.insert(to_string(member));
  }
  return names;
}

std::set<std::string> without(std::set<std::string> names, const std::set<std::string>& gone) {
  for (const auto& name : gone) {
    names.erase(name);
  }
  return names;
}

std::string place_of(const Position& position) {
  return to_string(position.configuration) + "/" + std::to_string(position.seq) + "/" +
         std::to_string(position.index);
}

std::size_t weight_of(const Event& event) {
  constexpr std::size_t event_bytes = 256;
  const auto* message = std::get_if<Message>(&event);
  return event_bytes + (message == nullptr ? 0 : message->payload.size());
}

}  // namespace

bool is_acceptable(const Message& message, const std::optional<Configuration>& configuration) {
  if (message.transitional || message.service != Service::safe) return false;
  return configuration.has_value() && configuration->id == message.position.configuration &&
         configuration->has_majority();
}

Reconciler::Reconciler(std::string group, Table table, std::uint64_t chain)
    : group_(std::move(group)),
      writers_(writers_group(group_)),
      table_(std::move(table)),
      chain_(chain) {}

void Reconciler::on_session(const MemberName& self, std::size_t table_bytes_max) {
  self_ = to_string(self);
  table_bytes_max_ = table_bytes_max;
  stage_ = Stage::joining;
  in_group_ = false;
  configuration_.reset();
}

void Reconciler::on_event(Event event) {
  if (stage_ == Stage::away) return;
  if (stage_ == Stage::live) {
    apply(event);
  } else if (!look_ahead(event)) {
    held_bytes_ += weight_of(event);
    held_.push_back(std::move(event));
  }
  advance();
}

void Reconciler::on_session_end() {
  while (!held_.empty()) {
    // A view may make us wait again, but nobody answers any more.
    stage_ = Stage::live;
    replay();
  }
  uncovered_.clear();
  incoming_.clear();
  received_ = Table{};
  received_chain_.reset();
  is_newcomer_ = false;
  given_up_.clear();
  output_.tables.clear();
  stage_ = Stage::away;
  in_group_ = false;
}

void Reconciler::give_up() {
  if (stage_ != Stage::waiting) return;
  given_up_.insert(awaited_view_);
  uncovered_.clear();
  for (const auto& [sender, incoming] : incoming_) {
    received_.merge(incoming.table);
  }
  advance();
}

ReconcilerOutput Reconciler::take() { return std::exchange(output_, ReconcilerOutput{}); }

// What must be known before the held events are applied: our own join, tables, departures.
bool Reconciler::look_ahead(const Event& event) {
  if (const auto* view = std::get_if<View>(&event)) look_ahead_view(*view);
  const auto* message = std::get_if<Message>(&event);
  return message != nullptr && look_ahead_table(*message);
}

void Reconciler::look_ahead_view(const View& view) {
  if (view.group == group_) in_group_ = true;
  if (view.group != writers_) return;
  const auto members = names_of(view.members);
  if (stage_ == Stage::joining) {
    const auto who = names_of(view.who);
    if (view.cause != Cause::join || !who.contains(self_)) return;
    is_newcomer_ = true;
    begin_waiting(view, without(members, who));
    return;
  }
  // One who is a member but did not come along with us answers in another history.
  const auto& still_here = view.cause == Cause::network ? names_of(view.with_me) : members;
  std::erase_if(uncovered_, [&](const std::string& name) { return !still_here.contains(name); });
}

bool Reconciler::look_ahead_table(const Message& message) {
  if (stage_ != Stage::waiting || message.type != table_type) return false;
  const auto table = decode_table(message.payload);
  if (!table || table->is_news || table->view != awaited_view_) return false;
  auto& incoming = incoming_[message.sender];
  if (table->part != incoming.parts + 1) return true;
  ++incoming.parts;
  incoming.table.merge(table->table);
  if (table->part < table->parts) return true;
  received_.merge(incoming.table);
  received_chain_ = table->chain;
  for (const auto& member : table->component) {
    uncovered_.erase(member);
  }
  incoming_.erase(message.sender);
  return true;
}

void Reconciler::begin_waiting(const View& view, std::set<std::string> uncovered) {
  stage_ = Stage::waiting;
  awaited_view_ = view.id;
  uncovered_ = std::move(uncovered);
  incoming_.clear();
  received_ = Table{};
  received_chain_.reset();
}

void Reconciler::advance() {
  while (stage_ == Stage::waiting && uncovered_.empty()) {
    close_gap();
    stage_ = Stage::live;
    replay();
  }
}

void Reconciler::replay() {
  while (stage_ == Stage::live && !held_.empty()) {
    const auto event = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= weight_of(event);
    apply(event);
  }
  if (stage_ != Stage::waiting) return;
  for (const auto& event : held_) {
    (void)look_ahead(event);
  }
}

// The tables are here: what they have and we have not is our gap; what only we have is news to
// those who were here before us. What a newcomer holds from before its join is in the tables
// too, and no gap: it is written at its place. What came behind the view and is in the tables is
// there for the second time: the others do not write it again, and so do not we.
void Reconciler::close_gap() {
  auto gap = received_.minus(table_);
  if (is_newcomer_) gap = gap.minus(held_before_join());
  const auto news = table_.minus(received_);
  report_divergence();
  if (!gap.empty()) write_gap(gap);
  if (received_chain_ || is_newcomer_) {
    is_resuming_ = !received_chain_ && !table_.empty();
    resumed_.clear();
  }
  // To nobody, when nobody was there before.
  const bool has_readers = received_chain_.has_value() || given_up_.contains(awaited_view_);
  if (is_newcomer_ && has_readers && !news.empty()) {
    TableMessage message;
    message.is_news = true;
    message.chain = chain_;
    message.table = news;
    send(message);
  }
  is_newcomer_ = false;
}

void Reconciler::report_divergence() {
  if (received_chain_.has_value() && received_ == table_ && *received_chain_ != chain_) {
    output_.reports.push_back(
        "the file holds the same lines as another writer's, but not in the same order or with "
        "other markers: the two were apart before; compare them before relying on either");
  }
}

// Nobody can tell what was delivered while no writer ran, but the producers' own numbers do. It
// is not marked as a gap: a line that is sent again later must not count as seen.
void Reconciler::report_missed(const Record& record) {
  constexpr std::uint64_t reports_max = 10;
  const auto range = range_of(record);
  const auto& id = record.producer.id;
  if (resumed_.contains(id) || table_.missing_from(id, range).empty()) return;
  resumed_.insert(id);
  const auto last = table_.last_of(id);
  if (range.first <= last + 1 || ++missed_reports_ > reports_max) return;
  output_.reports.push_back(
      "lines " + std::to_string(last + 1) + " to " + std::to_string(range.first - 1) + " of " +
      record.producer.name + " (" + to_string(id) +
      ") are not in the file: they came while no writer was there, or were lost when this one was "
      "killed" +
      (missed_reports_ == reports_max ? "; of further producers only the summary's holes tell"
                                      : ""));
}

Table Reconciler::held_before_join() const {
  Table lines;
  auto configuration = configuration_;
  for (const auto& event : held_) {
    if (const auto* next = std::get_if<Configuration>(&event)) configuration = *next;
    const auto* view = std::get_if<View>(&event);
    if (view != nullptr && view->group == writers_ && view->id == awaited_view_) break;
    const auto* message = std::get_if<Message>(&event);
    if (message == nullptr || message->type != record_type) continue;
    if (!is_acceptable(*message, configuration)) continue;
    const auto record = decode_record(message->payload);
    if (!record || record->first_seq == 0) continue;
    (void)lines.add(record->producer, range_of(*record));
  }
  return lines;
}

void Reconciler::apply(const Event& event) {
  if (const auto* configuration = std::get_if<Configuration>(&event)) {
    configuration_ = *configuration;
    ++counters_.configurations;
  } else if (const auto* message = std::get_if<Message>(&event)) {
    apply_message(*message);
  } else if (const auto* view = std::get_if<View>(&event)) {
    if (view->group == group_) ++counters_.views;
    if (view->group == writers_) apply_writers_view(*view);
  }
}

void Reconciler::apply_message(const Message& message) {
  if (message.type == table_type) {
    apply_news(message);
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
  if (record->first_seq != 0) apply_record(message, *record);
}

void Reconciler::apply_record(const Message& message, const Record& record) {
  if (is_acceptable(message, configuration_)) {
    position_ = message.position;
    write_record(record, message.sender.daemon);
    return;
  }
  output_.progress[message.sender].is_awaited = true;
  // Nothing to keep when the file has all of it already.
  if (table_.missing_from(record.producer.id, range_of(record)).empty()) {
    counters_.duplicates += range_of(record).count();
    return;
  }
  // Nor when it was set aside before: who waits for a writer offers it again.
  const auto& configuration = message.position.configuration;
  if (std::exchange(set_aside_in_, configuration) != configuration) set_aside_ = Table{};
  if (set_aside_.add(record.producer, range_of(record)).empty()) {
    counters_.duplicates += range_of(record).count();
    return;
  }
  const auto* const why = message.service != Service::safe ? "not safe"
                          : message.transitional           ? "transitional"
                                                           : "no majority";
  PendingRecord pending;
  pending.configuration = message.position.configuration;
  pending.text = pending_head(record, place_of(message.position), why) + "\n";
  if (const auto* lines = std::get_if<Lines>(&record.body)) {
    for (const auto& line : lines->lines) {
      pending.text += line;
      pending.text += '\n';
    }
  } else {
    pending.text += loss_marker(record) + "\n";
  }
  pending.lines = range_of(record).count();
  counters_.pending_lines += pending.lines;
  output_.pending.push_back(std::move(pending));
}

void Reconciler::apply_writers_view(const View& view) {
  const auto members = names_of(view.members);
  if (view.cause == Cause::join) {
    const auto who = names_of(view.who);
    if (!who.contains(self_)) send_table(view, without(members, who));
  } else if (view.cause == Cause::network) {
    const auto with_me = names_of(view.with_me);
    auto others = without(members, with_me);
    if (others.empty()) return;
    send_table(view, with_me);
    begin_waiting(view, std::move(others));
  }
}

void Reconciler::apply_news(const Message& message) {
  const auto news = decode_table(message.payload);
  if (!news) {
    output_.reports.push_back(news.error().message + ", from " + to_string(message.sender));
    return;
  }
  // A table that nobody waited for any longer tells what we miss as news would.
  if (!news->is_news && !given_up_.contains(news->view)) return;
  const auto gap = news->table.minus(table_);
  if (!gap.empty()) write_gap(gap);
}

void Reconciler::write_record(const Record& record, const std::string& daemon) {
  const auto range = range_of(record);
  if (is_resuming_) report_missed(record);
  const auto added = table_.add(record.producer, range);
  auto duplicates = range.count();
  const auto* lines = std::get_if<Lines>(&record.body);
  for (const auto& part : added) {
    duplicates -= part.count();
    output_.additions.push_back(Addition{record.producer, part});
    if (lines == nullptr) {
      const auto* dropped = std::get_if<Dropped>(&record.body);
      const auto lost = dropped != nullptr ? dropped->lines : 1;
      counters_.lost_lines += lost;
      output_.markers.push_back(MarkerNote{output_.data.size(), lost});
      append_line(loss_marker(record));
      continue;
    }
    output_.origins.push_back(LineOrigin{
        output_.data.size(), part.count(), record.producer, part.first, daemon, *position_});
    for (auto seq = part.first; seq <= part.last; ++seq) {
      append_line(lines->lines[static_cast<std::size_t>(seq - record.first_seq)]);
    }
    output_.lines += part.count();
  }
  counters_.duplicates += duplicates;
}

void Reconciler::write_gap(const Table& missing) {
  for (const auto& [id, entry] : missing.entries()) {
    for (const auto& range : entry.seen.ranges()) {
      output_.additions.push_back(Addition{Producer{id, entry.name}, range});
    }
  }
  table_.merge(missing);
  output_.markers.push_back(MarkerNote{output_.data.size(), missing.count()});
  append_line(gap_marker(missing));
  ++counters_.gaps;
  counters_.gap_lines += missing.count();
  output_.reports.push_back(
      "another writer has " + std::to_string(missing.count()) +
      " lines that this file misses; a #ringlog-gap line marks their exact ranges");
}

void Reconciler::append_line(std::string_view line) {
  chain_ = chain_line(chain_, line);
  output_.data += line;
  output_.data += '\n';
}

void Reconciler::send_table(const View& view, const std::set<std::string>& component) {
  TableMessage message;
  message.view = view.id;
  message.component.assign(component.begin(), component.end());
  message.chain = chain_;
  message.table = table_;
  send(message);
}

void Reconciler::send(const TableMessage& message) {
  for (auto& part : encode_in_parts(message, table_bytes_max_)) {
    output_.tables.push_back(std::move(part));
  }
}

}  // namespace ringcast::ringlog
