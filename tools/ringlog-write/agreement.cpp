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
  // Who left within reach can have written nothing since.
  if (view.cause == Cause::leave || view.cause == Cause::disconnect) {
    companions_ = without(companions_, names_of(view.who));
  }
  std::erase_if(excluded_, [&](const std::string& name) { return !members_.contains(name); });
  std::erase_if(announced_, [&](const auto& item) { return !members_.contains(item.first); });
  const bool brings_others = view.cause == Cause::network;
  const bool has_strangers =
      brings_others && !without(without(members_, names_of(view.with_me)), excluded_).empty();
  const bool has_come_to_majority = std::exchange(has_come_to_majority_, false);
  begin_point(view.id, has_strangers || has_come_to_majority);
}

// What was held and is applied now was heard before.
void Reconciler::hear(const Configuration& configuration) {
  if (heard_ && configuration.id.seq <= heard_->seq) return;
  heard_ = configuration.id;
  const bool had_majority = std::exchange(has_majority_, configuration.has_majority());
  if (has_majority_ && had_majority) return;
  is_continuing_ = false;
  has_come_to_majority_ = has_majority_;
}

// Whoever comes to a majority may be unsure, and it is for all to say. Views of a configuration
// come first; one of the writers' group is the point. Without one all of the group came from the
// same configuration, and the point is in front of the first message.
void Reconciler::compare_in_majority(const Message& message) {
  if (!has_come_to_majority_ || message.position.configuration != *heard_) return;
  has_come_to_majority_ = false;
  begin_point("majority/" + to_string(*heard_), true);
  decide();
}

// At a point of which `is_for_all` nobody writes on at once.
void Reconciler::begin_point(std::string point, bool is_for_all) {
  if (!members_.contains(self_)) return;
  const auto others = without(without(members_, excluded_), {self_});
  comparison_.begin(std::move(point), others);
  // To have been in step in a minority tells a majority nothing; nor does a file that is empty yet.
  const bool is_live = in_step_ && position_ && (is_continuing_ || !has_majority_);
  own_ = Statement{is_live, end_, position_, {}, {}, {}, {formerly_.begin(), formerly_.end()}};
  if (has_majority_ && !is_continuing_) own_.missed = without(companions_, members_);
  target_.reset();
  if (!is_live || stage_ != Stage::live || is_for_all || !doubted_.empty()) {
    stage_ = Stage::waiting;
    before_.insert(
        before_.end(),
        std::make_move_iterator(held_.begin()),
        std::make_move_iterator(held_.end()));
    held_.clear();
  } else {
    note_companions();
  }
  // Its place in the order counts too: so all decide at the same one, or none does.
  is_own_awaited_ = !others.empty();
  if (is_own_awaited_) tell_statement();
  if (stage_ == Stage::live) tell_segments();
}

void Reconciler::on_statement(const Message& message) {
  const auto table = decode_table(message.payload);
  const auto sender = to_string(message.sender);
  if (!table) {
    output_.reports.push_back(table.error().message + ", from " + sender + "; ignored");
    return;
  }
  if (sender == self_ && table->sync == point() && table->part == table->parts) {
    is_own_awaited_ = false;
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
  is_doubt_given_up_ = !without(named, members_).empty();
  excluded_.insert(named.begin(), named.end());
  std::erase_if(excluded_, [&](const std::string& name) { return !members_.contains(name); });
  companions_ = without(companions_, named);
  const auto& place = message.position;
  begin_point(
      "exclude/" + to_string(place.configuration) + "/" + std::to_string(place.seq) + "/" +
          std::to_string(place.index),
      false);
}

void Reconciler::decide() {
  const bool is_complete = !is_own_awaited_ && comparison_.awaited().empty();
  if (stage_ != Stage::waiting || target_ || !is_complete) return;
  const bool has_given_up = settle_doubts();
  if (comparison_.statements().empty()) {
    if (!in_step_ || has_given_up) is_resuming_ = !table_.empty();
    resumed_.clear();
    // Alone in a minority: what a majority was told before, others may have written elsewhere.
    go_live(has_majority_ && doubted_.empty() ? Unwritten::to_file : Unwritten::to_pending);
    return;
  }
  is_resuming_ = has_given_up;
  resumed_.clear();
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

// One that is in step knows; without one, nobody does as long as somebody is missing. True when a
// doubt ends since those who are missing are not waited for.
bool Reconciler::settle_doubts() {
  const bool was_unsure = !doubted_.empty();
  const bool is_given_up = std::exchange(is_doubt_given_up_, false);
  bool is_known = own_.is_live;
  auto present = members_;
  present.insert(own_.formerly.begin(), own_.formerly.end());
  doubted_ = own_.missed;
  for (const auto& [member, other] : comparison_.statements()) {
    is_known = is_known || other.is_live;
    present.insert(other.formerly.begin(), other.formerly.end());
    doubted_.insert(other.missed.begin(), other.missed.end());
  }
  doubted_ = is_known ? std::set<std::string>{} : without(doubted_, present);
  if (doubted_.empty()) {
    note_companions();
    return was_unsure && is_given_up && !is_known;
  }
  companions_.insert(doubted_.begin(), doubted_.end());
  output_.reports.push_back(
      "others may have written while this one was cut off, and are not in reach:" +
      joined(doubted_) + "; until they are, or for a while, what comes is set aside");
  return false;
}

void Reconciler::note_companions() {
  if (has_majority_) companions_ = without(without(members_, excluded_), {self_});
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
  is_continuing_ = has_majority_ && !has_come_to_majority_ && doubted_.empty();
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
  const bool is_waiting = stage_ == Stage::waiting;
  if (asked_at_ == point() || !(is_waiting || (stage_ == Stage::live && is_unsure()))) return;
  const auto& names = !is_waiting ? doubted_ : target_ ? target_->holders : awaited();
  if (names.empty()) return;
  asked_at_ = point();
  Exclude exclude;
  exclude.sync = point();
  exclude.members.assign(names.begin(), names.end());
  output_.reports.push_back("no answer came from" + joined(names) + "; going on without");
  send(writer_type, encode(WriterMessage(std::move(exclude))));
}

// As of the point, and all of it.
Statement Reconciler::statement() const {
  auto statement = own_;
  statement.table = table_;
  statement.gaps = gaps_;
  return statement;
}

void Reconciler::tell_statement() {
  TableMessage message;
  message.is_live = own_.is_live;
  message.missed = own_.missed;
  message.formerly = own_.formerly;
  message.sync = comparison_.point();
  message.end = own_.end;
  message.position = own_.position;
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
  if (stage_ != Stage::live || !doubted_.empty() || !has_majority || !is_merged ||
      gap_told_at_ == point()) {
    return;
  }
  TableMessage news;
  news.is_news = true;
  news.end = end_;
  news.table = promised_.minus(table_).minus(gaps_);
  if (news.table.empty()) return;
  gap_told_at_ = point();
  send(news);
}

std::optional<ConfigurationId> Reconciler::segment_to_offer() const {
  if (stage_ != Stage::live || !doubted_.empty() || has_come_to_majority_ || !configuration_ ||
      !configuration_->has_majority()) {
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
