// SPDX-License-Identifier: Apache-2.0
//
// The loop of ringlog-publish.
#include "tools/ringlog-publish/publisher.hpp"

#include <algorithm>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-publish/journal_source.hpp"
#include "tools/ringlog-publish/stdin_source.hpp"
#include "tools/ringlog-publish/syslog_source.hpp"
#include "tools/ringlog-publish/tail_source.hpp"
#include "tools/ringlog/progress.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-publish";
constexpr std::size_t window_bytes = std::size_t{4} << 20U;
// Writers sync a few times a second; what they have not synced counts here.
constexpr std::size_t receipted_window_bytes = std::size_t{32} << 20U;
constexpr std::size_t behind_bytes_max = std::size_t{8} << 20U;
constexpr std::uint64_t spool_segment_bytes_max = std::uint64_t{8} << 20U;
constexpr std::uint64_t spool_segments = 8;  // at least: dropping gives up a whole one
constexpr std::chrono::milliseconds save_interval{200};
constexpr std::chrono::seconds ageing_interval{1};
constexpr std::chrono::milliseconds credit_retry{10};
constexpr std::chrono::milliseconds settle_patience{250};  // above the rest between two batches
constexpr std::chrono::seconds patience{5};

}  // namespace

Publisher::Publisher(PublisherOptions options)
    : options_(std::move(options)),
      pace_(options_.writers_required > 0 ? receipted_window_bytes : behind_bytes_max, patience) {}

Result<void> Publisher::open() {
  auto filter = Filter::make(options_.filter);
  if (!filter) return filter.error();
  filter_.emplace(std::move(filter).value());
  if (auto opened = open_intake(); !opened) return opened;
  link_ = std::make_unique<Link>(options_.daemons, program);
  return open_sources();
}

Result<void> Publisher::open_intake() {
  std::optional<Spool> spool;
  std::vector<std::string> notes;
  if (!options_.spool_directory.empty()) {
    Spool::Options spool_options;
    spool_options.directory = options_.spool_directory;
    spool_options.bytes_max = options_.spool_bytes_max;
    spool_options.segment_bytes =
        std::min(spool_segment_bytes_max, options_.spool_bytes_max / spool_segments);
    auto opened = Spool::open(std::move(spool_options), notes);
    if (!opened) return opened.error();
    spool.emplace(std::move(opened).value());
  }
  tell(notes);
  const bool is_receipted = options_.writers_required > 0;
  intake_ = std::make_unique<Intake>(
      options_.memory_bytes_max,
      Outbox(is_receipted ? receipted_window_bytes : window_bytes, options_.writers_required),
      std::move(spool));
  drop_aged(Clock::now());  // before any of it is on its way
  return {};
}

void Publisher::drop_aged(Clock::time_point now) {
  if (!options_.spool_age_max || now < next_ageing_) return;
  next_ageing_ = now + ageing_interval;
  intake_->drop_older_than(std::chrono::floor<std::chrono::seconds>(*options_.spool_age_max), now);
}

Input::Options Publisher::entry_options() const {
  Input::Options entry;
  entry.line_bytes_max = options_.line_bytes_max;
  entry.max_block = options_.max_block;
  entry.linger = std::min(options_.linger, options_.max_block);  // a full pipe waits for its end
  entry.when_full = options_.when_full;
  entry.encoding = {options_.packing_level, options_.writers_required > 0};
  return entry;
}

Result<void> Publisher::open_sources() {
  if (auto opened = open_tails(); !opened) return opened;
  if (auto opened = open_syslog(); !opened) return opened;
  if (options_.journal || !options_.journal_directory.empty()) {
    if (auto opened = open_journal_source(); !opened) return opened;
  }
  if (!sources_.empty()) return {};
  sources_.push_back(std::make_unique<StdinSource>(
      entry_options(), Producer{random_producer(), options_.name}, *filter_, *intake_));
  return {};
}

Result<void> Publisher::open_syslog() {
  if (options_.syslog.empty()) return {};
  SyslogSource::Options syslog;
  syslog.addresses = options_.syslog;
  syslog.keep_whole = options_.syslog_keep;
  syslog.entry = entry_options();
  auto source = SyslogSource::open(
      std::move(syslog), Producer{random_producer(), options_.name}, *filter_, *intake_);
  if (!source) return source.error();
  sources_.push_back(std::move(source).value());
  return {};
}

Result<void> Publisher::open_journal_source() {
  SystemJournalOptions journal;
  journal.directory = options_.journal_directory;
  journal.matches = options_.journal_matches;
  journal.state_directory = options_.state_directory;
  journal.group = options_.group;
  journal.name = options_.name;
  journal.line_bytes_max = options_.line_bytes_max;
  journal.encoding = entry_options().encoding;
  auto source = open_journal(journal, *filter_, *intake_);
  if (!source) return source.error();
  sources_.push_back(std::move(source).value());
  return {};
}

Result<void> Publisher::open_tails() {
  if (options_.patterns.empty()) return {};
  TailSource::Options tails;
  tails.state_directory = options_.state_directory;
  tails.group = options_.group;
  tails.once = options_.once;
  tails.tails.patterns = options_.patterns;
  tails.tails.name = options_.name;
  tails.tails.limits.line_bytes_max = options_.line_bytes_max;
  tails.tails.limits.encoding = entry_options().encoding;
  tails.tails.limits.filter = &*filter_;
  auto source = TailSource::open(std::move(tails), *intake_);
  if (!source) return source.error();
  sources_.push_back(std::move(source).value());
  return {};
}

ExitCode Publisher::run(int stop_fd) {
  if (auto opened = open(); !opened) {
    tools::report(program, opened.error().message);
    return opened.error().code == Errc::invalid_argument ? ExitCode::usage : ExitCode::failed;
  }
  for (;;) {
    step();
    if (const auto code = outcome()) return finish(*code);
    wait(stop_fd);
  }
}

void Publisher::step() {
  keep_session();
  receive();
  read_sources();
  intake_->refill(Clock::now());
  send();
  send_settle();
  housekeeping();
}

void Publisher::read_sources() {
  for (const auto& source : sources_) {
    if (!source->is_over()) source->read(Clock::now());
    tell(source->notes());
    if (source->fatal()) fatal_ = source->fatal();
  }
  const bool was_over = std::exchange(
      input_over_, std::all_of(sources_.begin(), sources_.end(), [](const auto& source) {
        return source->is_over();
      }));
  if (input_over_ && !was_over && !stopping_) input_over_at_ = Clock::now();
}

void Publisher::keep_session() {
  (void)link_->try_connect(Clock::now());
  if (link_->fatal()) fatal_ = link_->fatal();
}

void Publisher::send() {
  auto& outbox = intake_->outbox();
  if (!pace_.may_send(Clock::now())) return;
  for (const auto& writer : pace_.given_up()) {
    tools::report(program, "writer " + writer + " stays behind; no longer waiting for it");
  }
  for (auto number = outbox.next(); number && link_->client() != nullptr; number = outbox.next()) {
    std::uint64_t ticket = 0;
    const auto sent = link_->client()->message_bytes_max() >= outbox.record(*number).payload.size();
    if (!sent) {
      refuse(*number);
      if (fatal_) return;
      continue;
    }
    if (!publish(outbox.record(*number).payload, ticket)) return;
    outbox.on_sent(*number, ticket);
    sent_at_ = Clock::now();
  }
}

void Publisher::send_settle() {
  auto& outbox = intake_->outbox();
  const auto due = settle_due();
  if (!due || Clock::now() < *due) return;
  const auto payload = encode(Record{Producer{{}, options_.name}, 0, Settle{}, false});
  std::uint64_t ticket = 0;
  if (publish(payload, ticket)) outbox.on_settle_sent(ticket);
}

std::optional<Client::Clock::time_point> Publisher::settle_due() const {
  const auto& outbox = intake_->outbox();
  if (link_->client() == nullptr || !outbox.needs_settle()) return std::nullopt;
  const bool may_come = !input_over_ && !stopping_ && !outbox.has_waiting();
  return may_come ? sent_at_ + settle_patience : sent_at_;
}

bool Publisher::publish(std::span<const std::byte> payload, std::uint64_t& ticket) {
  Publication publication;
  publication.groups = {options_.group};
  publication.payload = payload;
  publication.service = Service::safe;
  publication.type = record_type;
  const auto published = link_->client()->try_publish(publication);
  if (published) {
    ticket = *published;
    return true;
  }
  const auto code = published.error().code;
  if (code != Errc::would_block && code != Errc::inbox_full) end_session(published.error().message);
  return false;
}

// The daemon's limit is below the record: one line becomes a note; a batch cannot be.
void Publisher::refuse(RecordNumber number) {
  auto& outbox = intake_->outbox();
  auto record = decode_record(outbox.record(number).payload);
  const auto* const lines = record ? std::get_if<Lines>(&record->body) : nullptr;
  if (lines == nullptr || lines->lines.size() != 1) {
    fatal_ = Error{
        Errc::invalid_argument,
        "the daemon takes messages of at most " +
            std::to_string(link_->client()->message_bytes_max()) +
            " bytes, which is too little for log records; raise its message limit"};
    return;
  }
  const auto bytes = lines->lines.front().size();
  tools::report(
      program,
      "a line of " + std::to_string(bytes) +
          " bytes is longer than the daemon's message limit and was not sent; its length is on "
          "record");
  record->body = TooLong{bytes};
  ++refused_lines_;
  outbox.replace(number, OutgoingRecord{encode(*record), 0, outbox.record(number).origin});
}

void Publisher::receive() {
  while (link_->client() != nullptr) {
    const auto event = link_->client()->try_receive();
    if (!event) {
      end_session(event.error().message);
      return;
    }
    if (!event->has_value()) return;
    on_event(**event);
  }
}

void Publisher::on_event(const Event& event) {
  if (const auto* confirmation = std::get_if<Confirmation>(&event)) {
    on_confirmation(*confirmation);
  } else if (const auto* message = std::get_if<Message>(&event)) {
    on_progress(*message);
  } else if (const auto* configuration = std::get_if<Configuration>(&event)) {
    on_configuration(*configuration);
  } else if (const auto* refused = std::get_if<Refused>(&event)) {
    const auto number = intake_->outbox().on_refused(refused->ticket);
    if (number && refused->error.code == Errc::too_large) {
      refuse(*number);
    } else {
      end_session(refused->error.message);
    }
  } else if (const auto* closed = std::get_if<Closed>(&event)) {
    end_session(closed->reason);
  }
}

void Publisher::on_confirmation(const Confirmation& confirmation) {
  auto& outbox = intake_->outbox();
  pace_.on_ordered(confirmation.position, outbox.bytes_in_flight(confirmation.ticket));
  const bool has_majority = configuration_.has_value() &&
                            configuration_->id == confirmation.position.configuration &&
                            configuration_->has_majority();
  on_settled(outbox.on_confirmation(confirmation, has_majority));
}

void Publisher::on_configuration(const Configuration& configuration) {
  configuration_ = configuration;
  intake_->outbox().retry_set_aside();
  if (!configuration.has_majority() || !told_minority_) return;
  tools::report(program, "a majority of the daemons is in reach again");
  told_minority_ = false;
}

void Publisher::on_progress(const Message& message) {
  if (message.type != progress_type) return;
  const auto progress = decode_progress(message.payload);
  if (!progress) return;
  pace_.on_progress(to_string(message.sender), progress->last, Clock::now());
  on_settled(intake_->outbox().on_written(message.sender, *progress));
}

void Publisher::on_settled(const std::vector<Origin>& origins) {
  for (const auto& origin : origins) {
    ++kept_records_;
    if (origin.source == spool_source) intake_->on_spool_settled(origin.mark);
    for (const auto& source : sources_) {
      source->on_settled(origin);
    }
  }
}

void Publisher::end_session(const std::string& reason) {
  intake_->outbox().on_session_end();
  pace_.on_session_end();
  configuration_.reset();
  link_->drop(reason);
}

void Publisher::housekeeping() {
  tell(intake_->notes());
  const auto now = Clock::now();
  if (now < next_save_) return;
  tell_minority();
  offer_set_aside(now);
  next_save_ = now + save_interval;
  drop_aged(now);
  intake_->sync(now);
  for (const auto& source : sources_) {
    source->save(now);
    tell(source->notes());
  }
}

std::optional<Client::Clock::time_point> Publisher::last_moment() const {
  if (stopping_) return input_over_at_ + options_.flush_timeout;
  if (!input_over_) return std::nullopt;
  auto wait = options_.timeout;
  if (!link_->was_ever_connected()) {
    wait = std::min(options_.connect_timeout, wait.value_or(options_.connect_timeout));
  }
  return wait ? std::optional(input_over_at_ + *wait) : std::nullopt;
}

std::optional<ExitCode> Publisher::outcome() const {
  if (fatal_) return tools::exit_code_of(*fatal_);
  if (input_over_ && intake_->is_empty()) return ExitCode::done;
  const auto end = last_moment();
  if (!end || Clock::now() < *end) return std::nullopt;
  if (stopping_) return ExitCode::failed;
  return link_->client() == nullptr ? ExitCode::unreachable : ExitCode::timed_out;
}

Client::Clock::time_point Publisher::next_deadline() {
  const auto now = Clock::now();
  auto deadline = now + patience;
  if (intake_->has_spool()) deadline = std::min(deadline, std::max(next_save_, now));
  for (const auto& source : sources_) {
    deadline = std::min(deadline, source->wake_up(now).value_or(deadline));
  }
  if (link_->client() == nullptr) deadline = std::min(deadline, link_->next_attempt());
  if (const auto due = settle_due()) deadline = std::min(deadline, std::max(*due, now));
  if (const auto wake_up = pace_.wake_up()) {
    deadline = std::min(deadline, *wake_up);
  } else if (link_->client() != nullptr && intake_->outbox().next()) {
    deadline = std::min(deadline, now + credit_retry);  // the daemon gave no credit just now
  }
  if (const auto end = last_moment()) deadline = std::min(deadline, *end);
  return deadline;
}

// Right after a record was sent something will soon be done anyway, mostly the next look at the
// input, and find its confirmation too; to be woken by it would cost more than the record.
std::optional<Client::Clock::time_point> Publisher::calm_until(Clock::time_point now) const {
  const auto& outbox = intake_->outbox();
  // Then what the session says makes room.
  const bool is_crowded = outbox.has_waiting() || outbox.bytes() > options_.memory_bytes_max / 2;
  const auto end = sent_at_ + std::min(options_.linger, options_.max_block);
  if (now >= end || stopping_ || input_over_ || is_crowded) return std::nullopt;
  return end;
}

void Publisher::wait(int stop_fd) {
  auto deadline = next_deadline();
  fds_.clear();
  fds_.push_back(pollfd{stopping_ ? -1 : stop_fd, POLLIN, 0});
  const auto now = Clock::now();
  for (const auto& source : sources_) {
    if (!source->is_over()) source->watch(fds_, now);
  }
  if (auto* const client = link_->client(); client != nullptr) {
    if (client->has_event()) deadline = now;
    const auto calm = calm_until(now);
    if (calm) deadline = std::min(deadline, *calm);
    const auto events = (calm ? 0 : POLLIN) | (client->wants_write() ? POLLOUT : 0);
    fds_.push_back(pollfd{client->fd(), static_cast<short>(events), 0});
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  (void)::poll(fds_.data(), fds_.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
  if ((fds_.front().revents & POLLIN) != 0) begin_stop();
}

// A writer that came since would not hear of them otherwise.
void Publisher::offer_set_aside(Clock::time_point now) {
  auto& outbox = intake_->outbox();
  if (outbox.set_aside() + outbox.unreceipted() == 0) {
    next_offer_ = now + patience;
    told_writers_ = false;
  } else if (now >= next_offer_ && !outbox.has_flights()) {
    if (outbox.unreceipted() > 0) tell_writers();
    outbox.retry_set_aside();
    next_offer_ = now + patience;
  }
}

void Publisher::tell_writers() {
  if (std::exchange(told_writers_, true)) return;
  tools::report(
      program,
      "lines wait for --require-writers " + std::to_string(options_.writers_required) +
          ": fewer have said that they have them on disk; they are sent again until so many have. "
          "Does each writer run?");
}

void Publisher::tell_minority() {
  const bool waits = !told_minority_ && intake_->outbox().set_aside() > 0;
  if (!waits || configuration_->has_majority()) return;
  told_minority_ = true;
  tools::report(
      program,
      "only " + std::to_string(configuration_->daemons.size()) + " of " +
          std::to_string(configuration_->configured.size()) +
          " daemons are in reach; lines are sent again when it is a majority, unless a writer "
          "here has them");
}

void Publisher::begin_stop() {
  stopping_ = true;
  input_over_at_ = Clock::now();
  for (const auto& source : sources_) {
    source->stop(input_over_at_);
  }
}

ExitCode Publisher::finish(ExitCode code) {
  const auto now = Clock::now();
  const bool is_saved = leave_sources();
  if (fatal_) tools::report(program, fatal_->message);
  if (code == ExitCode::unreachable) tools::report(program, link_->last_error());
  const auto lost = code == ExitCode::done ? 0 : put_away();
  // Stopped: what is not confirmed is in the spool, or still in the files.
  if (stopping_ && !fatal_ && code == ExitCode::failed && lost == 0) code = ExitCode::done;
  housekeeping();
  if (link_->client() != nullptr) (void)link_->client()->close(now + std::chrono::seconds(1));
  const bool is_told = summarize() == ExitCode::done;
  const bool is_whole = is_saved && is_told && !is_incomplete();
  return code == ExitCode::done && !is_whole ? ExitCode::failed : code;
}

bool Publisher::leave_sources() {
  bool is_saved = true;
  for (const auto& source : sources_) {
    is_saved = source->leave(Clock::now()) && is_saved;
    tell(source->notes());
  }
  return is_saved;
}

std::uint64_t Publisher::put_away() {
  const auto lines = intake_->put_away();
  if (lines.spooled > 0) {
    tools::report(program, std::to_string(lines.spooled) + " lines wait in the spool");
  }
  if (lines.lost > 0) {
    tools::report(
        program,
        std::to_string(lines.lost) + " lines were not confirmed as kept and are given up" +
            (intake_->has_spool() ? "" : "; --spool DIR would have saved them"));
  }
  return lines.lost;
}

bool Publisher::is_incomplete() const {
  const auto all = counters();
  const bool misses = std::any_of(
      sources_.begin(), sources_.end(), [](const auto& source) { return source->is_incomplete(); });
  return misses || intake_->has_lost() || all.dropped + all.too_long > 0;
}

SourceCounters Publisher::counters() const {
  SourceCounters all;
  for (const auto& source : sources_) {
    const auto one = source->counters();
    all.lines += one.lines;
    all.dropped += one.dropped;
    all.too_long += one.too_long;
    all.invalid += one.invalid;
    all.suspected_cuts += one.suspected_cuts;
    all.overflowed += one.overflowed;
  }
  all.dropped += intake_->dropped();
  all.too_long += refused_lines_;
  return all;
}

void Publisher::tell(const std::vector<std::string>& notes) const {
  for (const auto& note : notes) {
    tools::report(program, note);
  }
}

ExitCode Publisher::summarize() const {
  const auto all = counters();
  const auto& filtered = filter_->counters();
  const auto waiting = intake_->lines_in_memory();
  if (options_.json) {
    const tools::Json json = {
        {"event", "summary"},
        {"lines", all.lines},
        {"unconfirmed", waiting},
        {"records_kept", kept_records_},
        {"records_sent_again", intake_->outbox().sent_again()},
        {"dropped", all.dropped},
        {"too_long", all.too_long},
        {"left_out", filtered.left_out},
        {"sampled_out", filtered.sampled_out},
        {"redacted", filtered.changed},
        {"syslog_invalid", all.invalid},
        {"syslog_suspected_cuts", all.suspected_cuts},
        {"syslog_overflowed", all.overflowed}};
    return tools::print_line(program, tools::one_line_json(json));
  }
  auto text = std::to_string(all.lines) + " lines read, " + std::to_string(waiting) +
              " not confirmed, " + std::to_string(intake_->outbox().sent_again()) +
              " records sent again, " + std::to_string(all.dropped) + " lines dropped, " +
              std::to_string(all.too_long) + " too long";
  if (filter_->fingerprint() != 0) {
    text += ", " + std::to_string(filtered.left_out) + " left out, " +
            std::to_string(filtered.sampled_out) + " not in the sample, " +
            std::to_string(filtered.changed) + " redacted";
  }
  if (!options_.syslog.empty()) {
    text += ", " + std::to_string(all.invalid) + " no syslog messages, " +
            std::to_string(all.suspected_cuts) + " perhaps cut by their sender, " +
            std::to_string(all.overflowed) + " dropped by the kernel";
  }
  tools::report(program, text);
  return ExitCode::done;
}

}  // namespace ringcast::ringlog
