// SPDX-License-Identifier: Apache-2.0
//
// Reconciler: how writers agree on one file, and on who offers which pending file.
#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "tools/ringlog-write/reconciler.hpp"

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

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text += " " + name;
  }
  return text;
}

}  // namespace

// What is not applied to the file but says how writers stand: it counts as soon as it comes.
bool Reconciler::on_control(const Event& event) {
  if (const auto* view = std::get_if<View>(&event)) {
    if (view->group != writers_) return false;
    on_writers_view(*view);
    return true;
  }
  const auto* message = std::get_if<Message>(&event);
  if (message == nullptr) return false;
  if (message->type == table_type) {
    const auto table = decode_table(message->payload);
    if (table && table->is_news) return false;
    on_statement(*message);
    return true;
  }
  if (message->type != writer_type) return false;
  const auto decoded = decode_writer_message(message->payload);
  if (!decoded) {
    output_.reports.push_back(
        decoded.error().message + ", from " + to_string(message->sender) + "; ignored");
    return true;
  }
  if (const auto* exclude = std::get_if<Exclude>(&*decoded)) on_exclude(*message, *exclude);
  if (const auto* announce = std::get_if<Announce>(&*decoded)) {
    on_announce(to_string(message->sender), *announce);
  }
  return !std::holds_alternative<Offer>(*decoded);
}

void Reconciler::on_writers_view(const View& view) {
  members_ = names_of(view.members);
  std::erase_if(excluded_, [&](const std::string& name) { return !members_.contains(name); });
  std::erase_if(announced_, [&](const auto& item) { return !members_.contains(item.first); });
  const bool brings_others = view.cause == Cause::network;
  begin_point(
      view.id, brings_others ? without(members_, names_of(view.with_me)) : std::set<std::string>{});
}

void Reconciler::begin_point(std::string point, const std::set<std::string>& strangers) {
  if (!members_.contains(self_)) return;
  auto others = without(without(members_, excluded_), {self_});
  const bool must_wait = stage_ != Stage::live || !without(strangers, excluded_).empty();
  comparison_.begin(std::move(point), others);
  own_ = Statement{in_step_, end_, position_, {}, {}};
  target_.reset();
  if (must_wait) {
    stage_ = Stage::waiting;
    before_.insert(
        before_.end(),
        std::make_move_iterator(held_.begin()),
        std::make_move_iterator(held_.end()));
    held_.clear();
  }
  if (!others.empty()) tell_statement();
  if (stage_ == Stage::live) tell_segments();
}

void Reconciler::on_statement(const Message& message) {
  const auto table = decode_table(message.payload);
  const auto sender = to_string(message.sender);
  if (!table) {
    output_.reports.push_back(table.error().message + ", from " + sender + "; ignored");
    return;
  }
  if (!comparison_.take(sender, *table) || stage_ != Stage::live) return;
  const auto& other = comparison_.statements().at(sender);
  if (!other.is_live || other.end == own_.end || !goes_before(other, own_)) return;
  output_.reports.push_back(
      "the file is not the same as that of " + sender +
      ", which goes before; what only this one has is offered to all");
  needs_restart_ = true;
}

void Reconciler::on_exclude(const Message& message, const Exclude& exclude) {
  if (exclude.sync != comparison_.point()) return;
  const std::set<std::string> named(exclude.members.begin(), exclude.members.end());
  if (named.contains(self_)) {
    output_.reports.push_back(
        "the other writers went on, since this one did not answer in time; joining them again");
    needs_restart_ = true;
    return;
  }
  excluded_.insert(named.begin(), named.end());
  const auto& place = message.position;
  begin_point(
      "exclude/" + to_string(place.configuration) + "/" + std::to_string(place.seq) + "/" +
          std::to_string(place.index),
      {});
}

void Reconciler::decide() {
  if (stage_ != Stage::waiting || target_ || !comparison_.awaited().empty()) return;
  if (comparison_.statements().empty()) {
    is_resuming_ = !in_step_ && !table_.empty();
    resumed_.clear();
    // Alone in a minority: what a majority was told before, others may have written elsewhere.
    go_live(has_majority_ ? Unwritten::to_file : Unwritten::to_pending);
    return;
  }
  is_resuming_ = false;
  const auto own = statement();
  const auto& choice = *comparison_.choice(&own);
  if (choice.end == own.end) {
    get_in_step(choice);
    return;
  }
  in_step_ = false;
  target_ = Target{choice.end, comparison_.holders(choice.end)};
  chosen_ = choice;
  promised_.merge(choice.table);
}

void Reconciler::get_in_step(const Statement& chosen) {
  table_ = chosen.table;
  gaps_ = chosen.gaps;
  position_ = chosen.position;
  go_live(Unwritten::to_pending);
}

void Reconciler::go_live(Unwritten before) {
  stage_ = Stage::live;
  in_step_ = true;
  target_.reset();
  for (const auto& event : std::exchange(before_, {})) {
    if (before == Unwritten::to_file) {
      apply(event);
    } else {
      apply_before(event);
    }
  }
  held_bytes_ = 0;
  for (auto& event : std::exchange(held_, {})) {
    on_event(std::move(event));
  }
  tell_segments();
}

void Reconciler::give_up() {
  if (stage_ != Stage::waiting || asked_at_ == point()) return;
  const auto& names = target_ ? target_->holders : awaited();
  if (names.empty()) return;
  asked_at_ = point();
  Exclude exclude;
  exclude.sync = point();
  exclude.members.assign(names.begin(), names.end());
  output_.reports.push_back("no answer came from" + joined(names) + "; going on without");
  send(writer_type, encode(WriterMessage(std::move(exclude))));
}

Statement Reconciler::statement() const {
  return Statement{in_step_, end_, position_, table_, gaps_};
}

void Reconciler::tell_statement() {
  TableMessage message;
  message.is_live = in_step_;
  message.sync = comparison_.point();
  message.end = end_;
  message.position = position_;
  message.table = table_;
  message.gaps = gaps_;
  send(message);
}

void Reconciler::add_segment(const ConfigurationId& configuration, const Table& names) {
  segments_[configuration].merge(names);
}

void Reconciler::drop_segment(const ConfigurationId& configuration) {
  segments_.erase(configuration);
  if (stage_ == Stage::live) tell_segments();
}

void Reconciler::tell_segments() {
  Announce announce;
  for (const auto& [configuration, names] : segments_) {
    announce.configurations.push_back(configuration);
  }
  send(writer_type, encode(WriterMessage(std::move(announce))));
}

void Reconciler::on_announce(const std::string& sender, const Announce& announce) {
  announced_[sender] = {announce.configurations.begin(), announce.configurations.end()};
  tell_gap();
}

// When all that lay beside the files is merged, what is still missing is in no file.
void Reconciler::tell_gap() {
  const bool has_majority = configuration_.has_value() && configuration_->has_majority();
  const bool is_merged = announced_.contains(self_) &&
                         std::all_of(announced_.begin(), announced_.end(), [](const auto& item) {
                           return item.second.empty();
                         });
  if (stage_ != Stage::live || !has_majority || !is_merged || gap_told_at_ == point()) return;
  TableMessage news;
  news.is_news = true;
  news.end = end_;
  news.table = promised_.minus(table_).minus(gaps_);
  if (news.table.empty()) return;
  gap_told_at_ = point();
  send(news);
}

std::optional<ConfigurationId> Reconciler::segment_to_offer() const {
  if (stage_ != Stage::live || !configuration_ || !configuration_->has_majority()) {
    return std::nullopt;
  }
  std::optional<ConfigurationId> lowest;
  std::string holder;
  for (const auto& [member, configurations] : announced_) {
    if (configurations.empty() || excluded_.contains(member)) continue;
    if (lowest && *lowest <= *configurations.begin()) continue;
    lowest = *configurations.begin();
    holder = member;
  }
  if (holder != self_ || !segments_.contains(*lowest)) return std::nullopt;
  return lowest;
}

std::vector<ConfigurationId> Reconciler::covered_segments() const {
  std::vector<ConfigurationId> covered;
  if (stage_ != Stage::live) return covered;
  for (const auto& [configuration, names] : segments_) {
    if (names.minus(table_).empty()) covered.push_back(configuration);
  }
  return covered;
}

}  // namespace ringcast::ringlog
