// SPDX-License-Identifier: Apache-2.0
//
// Scribe: events in, files and messages out. Offers of pending files are in offering.cpp.
#include "tools/ringlog-write/scribe.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t table_bytes_max = std::size_t{1} << 20U;  // others' lines go in between
constexpr std::size_t part_bytes = std::size_t{256} << 10U;
constexpr std::size_t outgoing_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t held_bytes_max = std::size_t{128} << 20U;
constexpr std::uint64_t near_bytes = std::uint64_t{4} << 20U;  // little enough to join
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds answer_time_max{15};
constexpr std::chrono::seconds absence_max{5};  // a merge in several steps takes about one
constexpr std::string_view promise_head = "history/";
constexpr std::string_view front_head = "front/";

// Of the request that a table answers.
std::uint64_t request_id(std::string_view sync) {
  std::uint64_t id = 0;
  const auto digits = sync.substr(sync.find('/') + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  return read.ec == std::errc{} ? id : 0;
}

}  // namespace

Scribe::Scribe(StoreOptions options)
    : options_(options),
      store_(std::move(options)),
      catch_up_(options_.group),
      server_(options_.group) {}

Result<void> Scribe::open(Instant now) {
  if (auto opened = store_.open(now); !opened) return opened;
  reconciler_.emplace(options_.group, store_.written());
  add_segments();
  return {};
}

void Scribe::on_session(
    const MemberName& self,
    std::size_t message_bytes_max,
    const std::set<std::string>& writers,
    Instant now) {
  has_session_ = true;
  message_bytes_max_ = message_bytes_max;
  reconciler_->on_session(self, std::min(message_bytes_max, table_bytes_max));
  auto others = writers;
  others.erase(to_string(self));
  is_ahead_ = !others.empty();
  if (is_ahead_) catch_up_.begin(others, 0);
  step(now);
}

void Scribe::on_event(Event event, Instant now) {
  if (take_private(event, now)) return;
  reconciler_->on_event(std::move(event));
  collect();
}

bool Scribe::take_private(const Event& event, Instant now) {
  const auto* message = std::get_if<Message>(&event);
  if (message == nullptr) return false;
  const auto sender = to_string(message->sender);
  if (message->type == history_request_type) {
    auto request = decode_history_request(message->payload);
    if (request) server_.add(sender, std::move(request).value());
    return true;
  }
  if (message->type == history_reply_type) {
    const auto reply = decode_history_reply(message->payload);
    if (reply) on_reply(sender, *reply, now);
    return true;
  }
  if (message->type != table_type) return false;
  const auto table = decode_table(message->payload);
  if (table && table->sync.starts_with(front_head)) {
    catch_up_.on_front_table(sender, request_id(table->sync), *table);
    return true;
  }
  if (!table || !table->sync.starts_with(promise_head)) return false;
  if (is_ahead_) reconciler_->on_promise(table->table);
  return true;
}

void Scribe::on_session_end() {
  has_session_ = false;
  is_ahead_ = false;
  reconciler_->on_session_end();
  catch_up_.stop();
  server_.clear();
  offering_.reset();
  followed_.reset();
  waiting_since_.reset();
  collect();
  outgoing_.clear();
}

void Scribe::collect() {
  auto output = reconciler_->take();
  for (const auto& sentence : output.reports) {
    options_.tell(sentence);
  }
  store_.take(output);
  for (auto& message : output.messages) {
    outgoing_.push_back(Outgoing{
        writers_group(options_.group), message.type, Service::safe, std::move(message.payload)});
  }
  for (const auto& [sender, fresh] : output.progress) {
    auto& known = progress_[sender];
    extend(known.written, fresh.written);
    known.bytes += fresh.bytes;
    known.is_awaited = known.is_awaited || fresh.is_awaited;
  }
}

std::size_t Scribe::outgoing_bytes() const {
  std::size_t bytes = 0;
  for (const auto& message : outgoing_) {
    bytes += message.payload.size();
  }
  return bytes;
}

void Scribe::step(Instant now) {
  store_.flush(now);
  if (has_session_) {
    follow_target();
    fetch(now);
    answer();
    offer(now);
    look_at_waiting(now);
  }
  drop_covered(now);
  store_.flush(now);
  store_.sync_if_due(now);
  if (!catch_up_.is_searching()) store_.release_if_due(now);
}

// What the reconciler wants to be fetched.
void Scribe::follow_target() {
  if (is_ahead_) return;
  const auto& target = reconciler_->target();
  if (!target) {
    if (followed_) catch_up_.stop();
    followed_.reset();
    return;
  }
  if (followed_ == target->end && followed_point_ == reconciler_->point()) return;
  followed_ = target->end;
  followed_point_ = reconciler_->point();
  catch_up_.begin(target->holders, target->end.length);
}

void Scribe::fetch(Instant now) {
  if (!catch_up_.is_active() || store_.unwritten_bytes() > 0) return;
  if (is_ahead_ && catch_up_.is_between() && catch_up_.behind() &&
      *catch_up_.behind() < near_bytes) {
    end_ahead("");
    return;
  }
  const auto& end = reconciler_->end();
  if (followed_ && end.length >= followed_->length) {
    // Ours goes on where theirs does not, be it that all of theirs is the beginning of it.
    const auto there = store_.point_at(followed_->length);
    if (there && *there == followed_) {
      cut(*followed_, now);
      return;
    }
  }
  if (auto request = catch_up_.next(store_, end, now)) {
    outgoing_.push_back(
        Outgoing{request->first, history_request_type, Service::agreed, encode(request->second)});
  }
  if (!catch_up_.has_failed()) return;
  if (is_ahead_) {
    end_ahead("no writer answers; going on from what is here");
  } else {
    catch_up_.stop();
    reconciler_->give_up();
    collect();
  }
}

void Scribe::end_ahead(const std::string& why) {
  if (!why.empty()) options_.tell(why);
  is_ahead_ = false;
  catch_up_.stop();
}

void Scribe::on_reply(const std::string& sender, const HistoryReply& reply, Instant now) {
  if (is_ahead_ && reply.is_served && !reply.is_live) {
    // It does not know itself yet what the file is.
    end_ahead("");
    return;
  }
  const auto found = catch_up_.on_reply(sender, reply, reconciler_->end(), now);
  if (found.has_lines) {
    if (const auto taken = reconciler_->append_fetched(reply.entries, reply.data); !taken) {
      options_.tell(taken.error().message + ", from " + sender);
      catch_up_.on_wrong_lines();
    }
    waiting_since_.reset();
    collect();
  }
  if (found.cut) cut(*found.cut, now);
  if (found.front) go_on_behind(*found.front, now);
}

// What lies in pending files.
void Scribe::add_segments() {
  for (const auto& [configuration, names] : store_.segments()) {
    reconciler_->add_segment(configuration, names);
  }
}

void Scribe::go_on_behind(const FileFront& front, Instant now) {
  const auto done = store_.go_on_behind(front, now);
  if (!done) {
    options_.tell(done.error().message);
    catch_up_.stop();
    return;
  }
  add_segments();
  reconciler_->go_on_behind(store_.written(), *done);
  waiting_since_.reset();
  collect();
}

void Scribe::cut(const FilePoint& point, Instant now) {
  const auto done = store_.cut(point, now);
  if (!done) {
    options_.tell(done.error().message);
    catch_up_.stop();
    return;
  }
  add_segments();
  options_.tell(
      options_.path + ": " + std::to_string(*done) + " lines behind byte " +
      std::to_string(point.length) +
      " stand elsewhere or nowhere in the other writers' files; they were taken out and are "
      "offered to all");
  reconciler_->on_cut(store_.written(), *done);
  collect();
}

void Scribe::answer() {
  const auto bytes = std::min(part_bytes, message_bytes_max_ / 2);
  while (server_.has_work() && outgoing_bytes() < outgoing_bytes_max) {
    auto next = server_.next(store_, reconciler_->is_live(), bytes);
    if (next.wants_table && next.is_of_front) {
      send_front(next.to, next.reply.id);
    } else if (next.wants_table) {
      send_promise(next.to, next.reply.id);
    }
    outgoing_.push_back(Outgoing{next.to, history_reply_type, Service::agreed, encode(next.reply)});
  }
}

void Scribe::send_promise(const std::string& asker, std::uint64_t request) {
  TableMessage promise;
  promise.sync = std::string(promise_head) + std::to_string(request);
  promise.end = reconciler_->end();
  promise.table = reconciler_->table();
  for (auto& part : encode_in_parts(promise, std::min(message_bytes_max_, table_bytes_max))) {
    outgoing_.push_back(Outgoing{asker, table_type, Service::agreed, std::move(part)});
  }
}

void Scribe::send_front(const std::string& asker, std::uint64_t request) {
  const auto& front = store_.written().front;
  TableMessage message;
  message.sync = std::string(front_head) + std::to_string(request);
  message.end = front.begins;
  message.table = front.table;
  message.gaps = front.gaps;
  for (auto& part : encode_in_parts(message, std::min(message_bytes_max_, table_bytes_max))) {
    outgoing_.push_back(Outgoing{asker, table_type, Service::agreed, std::move(part)});
  }
}

void Scribe::look_at_waiting(Instant now) {
  look_at_doubts(now);
  const bool waits = !reconciler_->is_live() &&
                     (!reconciler_->awaited().empty() || reconciler_->target().has_value());
  if (is_ahead_ || !waits) {
    waiting_since_.reset();
    return;
  }
  if (!waiting_since_ || waiting_point_ != reconciler_->point()) {
    waiting_since_ = told_waiting_ = now;
    waiting_point_ = reconciler_->point();
  }
  if (now - *waiting_since_ >= answer_time_max) {
    reconciler_->give_up();
    collect();
    told_waiting_ = now;
  } else if (now - told_waiting_ >= patience) {
    std::string names;
    for (const auto& name :
         reconciler_->target() ? reconciler_->target()->holders : reconciler_->awaited()) {
      names += " " + name;
    }
    options_.tell("still waiting for" + names + "; lines are held in memory");
    told_waiting_ = now;
  }
}

// From the beginning of the doubt on, whoever comes and goes meanwhile.
void Scribe::look_at_doubts(Instant now) {
  if (!reconciler_->is_unsure()) {
    unsure_since_.reset();
    return;
  }
  if (!unsure_since_) unsure_since_ = now;
  const bool is_asked = unsure_point_ == reconciler_->point();
  if (now - *unsure_since_ < absence_max || is_asked || !reconciler_->is_live()) return;
  unsure_point_ = reconciler_->point();
  reconciler_->give_up();
  collect();
}

std::optional<std::string> Scribe::restart_reason() const {
  if (!has_session_) return std::nullopt;
  if (reconciler_->needs_restart()) return "out of step with the other writers";
  if (reconciler_->held_bytes() > held_bytes_max) {
    return "too much came while catching up with another writer";
  }
  return std::nullopt;
}

std::optional<Scribe::Instant> Scribe::next_step() const {
  auto next = store_.next_step();
  const auto sooner = [&](std::optional<Instant> other) {
    if (other) next = std::min(next.value_or(*other), *other);
  };
  sooner(catch_up_.next_step());
  sooner(next_look_);
  if (offering_) sooner(offering_->again_at);
  if (waiting_since_) sooner(told_waiting_ + patience);
  if (unsure_since_ && unsure_point_ != reconciler_->point()) sooner(*unsure_since_ + absence_max);
  return next;
}

}  // namespace ringcast::ringlog
