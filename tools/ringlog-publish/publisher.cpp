// SPDX-License-Identifier: Apache-2.0
//
// The loop of ringlog-publish.
#include "tools/ringlog-publish/publisher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog/progress.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-publish";
constexpr std::size_t window_bytes = std::size_t{4} << 20U;
constexpr std::size_t behind_bytes_max = std::size_t{8} << 20U;
constexpr std::size_t input_slice = std::size_t{256} << 10U;
constexpr std::size_t tail_slice = std::size_t{1} << 20U;
constexpr std::size_t tail_ahead = std::size_t{8} << 20U;
constexpr std::chrono::milliseconds tail_interval{250};
constexpr std::chrono::milliseconds save_interval{200};
constexpr std::chrono::milliseconds credit_retry{10};
constexpr std::chrono::seconds patience{5};

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// Of a regular file, a pipe or a socket.
std::uint64_t unread_bytes(int fd) {
  if (is_regular(fd)) {
    struct stat status {};
    const auto place = ::lseek(fd, 0, SEEK_CUR);
    const bool known = ::fstat(fd, &status) == 0 && place >= 0 && status.st_size > place;
    return known ? static_cast<std::uint64_t>(status.st_size - place) : 0;
  }
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

}  // namespace

Publisher::Publisher(PublisherOptions options)
    : options_(std::move(options)), pace_(behind_bytes_max, patience) {}

Result<void> Publisher::open() {
  std::optional<Spool> spool;
  std::vector<std::string> notes;
  if (!options_.spool_directory.empty()) {
    Spool::Options spool_options;
    spool_options.directory = options_.spool_directory;
    spool_options.bytes_max = options_.spool_bytes_max;
    auto opened = Spool::open(std::move(spool_options), notes);
    if (!opened) return opened.error();
    spool.emplace(std::move(opened).value());
  }
  tell(notes);
  intake_ = std::make_unique<Intake>(options_.memory_bytes_max, window_bytes, std::move(spool));
  link_ = std::make_unique<Link>(options_.client, program);
  if (!options_.patterns.empty()) return open_tails();
  Input::Options input;
  input.line_bytes_max = options_.line_bytes_max;
  input.max_block = options_.max_block;
  input.can_wait = is_regular(STDIN_FILENO);
  input_ = std::make_unique<Input>(input, Producer{random_producer(), options_.name}, *intake_);
  return {};
}

Result<void> Publisher::open_tails() {
  if (auto made = make_directories(options_.state_directory); !made) return made;
  const auto base = options_.state_directory + "/tail-" + options_.group;
  const auto lock_path = base + ".lock";
  state_lock_ = Descriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!state_lock_.is_open()) return system_error(lock_path, "cannot open", errno);
  if (::flock(state_lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Errc::invalid_argument,
        base +
            ".json: another ringlog-publish follows files of this group with this state; "
            "name another --state directory"};
  }
  TailSet::Options tails;
  tails.patterns = options_.patterns;
  tails.checkpoint = base + ".json";
  tails.name = options_.name;
  tails.limits.line_bytes_max = options_.line_bytes_max;
  tails_ = std::make_unique<TailSet>(std::move(tails));
  return tails_->start(
      Clock::now(), std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
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
  if (input_ != nullptr) {
    read_input();
  } else {
    read_tails();
  }
  intake_->refill(Clock::now());
  send();
  send_settle();
  housekeeping();
}

void Publisher::read_input() {
  const auto now = Clock::now();
  std::array<char, 65536> block{};
  std::size_t total = 0;
  input_ready_ = true;
  while (!input_over_ && total < input_slice && input_->wants_data(now)) {
    input_ready_ = is_readable(STDIN_FILENO);
    if (!input_ready_) break;
    const auto got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) {
      tools::report(program, system_error("stdin", "cannot read", errno).message);
      leave_input(now);
      input_left_ = true;
      break;
    }
    if (got == 0) {
      end_input(now);
      break;
    }
    total += static_cast<std::size_t>(got);
    input_->feed({block.data(), static_cast<std::size_t>(got)}, now);
  }
  if (stopping_ && !input_over_ && !input_ready_) leave_input(now);
  // While records wait to be sent, a batch may as well grow.
  if (!input_ready_ && !intake_->outbox().has_waiting()) input_->flush(now);
}

void Publisher::end_input(Clock::time_point now) {
  input_over_ = true;
  if (!stopping_) input_over_at_ = now;
  input_->end(now);
}

// The end was not reached. A line of which only the beginning was read must not go out as one.
void Publisher::leave_input(Clock::time_point now) {
  input_over_ = true;
  if (!stopping_) input_over_at_ = now;
  const auto left = input_->abandon(now) + unread_bytes(STDIN_FILENO);
  if (left == 0) return;
  input_left_ = true;
  tools::report(
      program,
      "the last " + std::to_string(left) + " bytes of the input were not read and are not sent");
}

void Publisher::read_tails() {
  const auto now = Clock::now();
  const bool is_full = intake_->outbox().bytes() > tail_ahead;
  const bool goes_on = tails_wait_ && !is_full;
  if (input_over_ || (now < next_tail_ && !goes_on)) return;
  tails_wait_ = is_full;
  const auto sink = [this](const Record& record, Origin origin) { accept_tail(record, origin); };
  // However full: a file that is rotated away unseen could never be read.
  const auto got = tails_->poll(is_full ? 0 : tail_slice, now, sink);
  tell(tails_->notes());
  if (got > 0) return;
  next_tail_ = now + tail_interval;
  if (is_full) return;
  if (options_.once && tails_->is_held_up()) {
    fatal_ = Error{
        Errc::io,
        "how far files are read cannot be saved in " + options_.state_directory +
            "; new files are not read without that"};
  } else if (options_.once || stopping_) {
    input_over_ = true;
    input_over_at_ = now;
    if (options_.once) tails_->finish(sink);
  }
}

void Publisher::accept_tail(const Record& record, Origin origin) {
  tail_lines_ += line_count(record);
  if (const auto* too_long = std::get_if<TooLong>(&record.body)) {
    ++tail_too_long_;
    tools::report(
        program,
        record.producer.name + ": a line of " + std::to_string(too_long->bytes) +
            " bytes is longer than --max-line and was not sent; its length is on record");
  }
  intake_->accept(record, origin, Clock::now());
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
  }
}

void Publisher::send_settle() {
  auto& outbox = intake_->outbox();
  if (link_->client() == nullptr || !outbox.needs_settle()) return;
  const auto payload = encode(Record{Producer{{}, options_.name}, 0, Settle{}});
  std::uint64_t ticket = 0;
  if (publish(payload, ticket)) outbox.on_settle_sent(ticket);
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
  if (!record || line_count(*record) != 1) {
    fatal_ = Error{
        Errc::invalid_argument,
        "the daemon takes messages of at most " +
            std::to_string(link_->client()->message_bytes_max()) +
            " bytes, which is too little for log records; raise its message limit"};
    return;
  }
  const auto bytes = std::get<Lines>(record->body).lines.front().size();
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
  on_settled(intake_->outbox().on_written(*progress));
}

void Publisher::on_settled(const std::vector<Origin>& origins) {
  for (const auto& origin : origins) {
    ++kept_records_;
    if (origin.source == spool_source) {
      intake_->on_spool_settled(origin.mark);
    } else if (origin.source != input_source) {
      tails_->on_settled(origin);
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
  if (input_ != nullptr) tell(input_->notes());
  const auto now = Clock::now();
  if (now < next_save_) return;
  tell_minority();
  offer_set_aside(now);
  next_save_ = now + save_interval;
  intake_->sync(now);
  if (tails_ == nullptr) return;
  tails_->try_save(now);
  tell(tails_->notes());
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
  if (tails_ != nullptr && !input_over_) deadline = std::min(deadline, std::max(next_tail_, now));
  if (tails_ != nullptr || intake_->has_spool()) deadline = std::min(deadline, next_save_);
  if (input_ != nullptr && !input_over_) {
    if (const auto wake_up = input_->wake_up(now)) deadline = std::min(deadline, *wake_up);
  }
  if (link_->client() == nullptr) deadline = std::min(deadline, link_->next_attempt());
  if (const auto wake_up = pace_.wake_up()) {
    deadline = std::min(deadline, *wake_up);
  } else if (link_->client() != nullptr && intake_->outbox().next()) {
    deadline = std::min(deadline, now + credit_retry);  // the daemon gave no credit just now
  }
  if (const auto end = last_moment()) deadline = std::min(deadline, *end);
  return deadline;
}

void Publisher::wait(int stop_fd) {
  auto deadline = next_deadline();
  std::array<pollfd, 3> fds{};
  fds.fill(pollfd{-1, 0, 0});
  if (!stopping_) fds[0] = pollfd{stop_fd, POLLIN, 0};
  const auto now = Clock::now();
  if (input_ != nullptr && !input_over_ && input_->wants_data(now)) {
    fds[1] = pollfd{STDIN_FILENO, POLLIN, 0};
  }
  auto* const client = link_->client();
  if (client != nullptr) {
    if (client->has_event()) deadline = now;
    fds[2].fd = client->fd();
    fds[2].events = static_cast<short>(POLLIN | (client->wants_write() ? POLLOUT : 0));
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
  if ((fds[0].revents & POLLIN) != 0) begin_stop();
}

// A writer that came since would not hear of them otherwise.
void Publisher::offer_set_aside(Clock::time_point now) {
  auto& outbox = intake_->outbox();
  if (outbox.set_aside() == 0) {
    next_offer_ = now + patience;
  } else if (now >= next_offer_ && !outbox.has_flights()) {
    outbox.retry_set_aside();
    next_offer_ = now + patience;
  }
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
  next_tail_ = input_over_at_;
}

ExitCode Publisher::finish(ExitCode code) {
  const auto now = Clock::now();
  if (input_ != nullptr && !input_over_) leave_input(now);
  if (fatal_) tools::report(program, fatal_->message);
  if (code == ExitCode::unreachable) tools::report(program, link_->last_error());
  const auto lost = tails_ != nullptr || code == ExitCode::done ? 0 : put_away();
  // Stopped: what is not confirmed is in the spool, or still in the files.
  if (stopping_ && !fatal_ && code == ExitCode::failed && lost == 0) code = ExitCode::done;
  const bool is_saved = tails_ == nullptr || leave_tails();
  housekeeping();
  if (link_->client() != nullptr) (void)link_->client()->close(now + std::chrono::seconds(1));
  const bool is_told = summarize() == ExitCode::done;
  const bool is_whole = is_saved && is_told && !is_incomplete();
  return code == ExitCode::done && !is_whole ? ExitCode::failed : code;
}

bool Publisher::leave_tails() {
  tails_->leave();
  tell(tails_->notes());
  const auto saved = tails_->save();
  if (!saved) tools::report(program, saved.error().message);
  return saved.ok();
}

std::uint64_t Publisher::put_away() {
  const auto waiting = intake_->outbox().lines();
  const auto lost = intake_->put_away();
  if (waiting > lost) {
    tools::report(program, std::to_string(waiting - lost) + " lines wait in the spool");
  }
  if (lost > 0) {
    tools::report(
        program,
        std::to_string(lost) + " lines were not confirmed as kept and are given up" +
            (intake_->has_spool() ? "" : "; --spool DIR would have saved them"));
  }
  return lost;
}

bool Publisher::is_incomplete() const {
  if (input_left_ || intake_->has_lost()) return true;
  if (input_ != nullptr && input_->dropped() + input_->too_long() > 0) return true;
  if (tails_ != nullptr && (tails_->has_lost() || (options_.once && tails_->has_trouble()))) {
    return true;
  }
  return tail_too_long_ + refused_lines_ > 0;
}

void Publisher::tell(const std::vector<std::string>& notes) const {
  for (const auto& note : notes) {
    tools::report(program, note);
  }
}

ExitCode Publisher::summarize() const {
  const auto lines = input_ != nullptr ? input_->accepted() : tail_lines_;
  const auto waiting = intake_->outbox().lines();
  const auto dropped = input_ != nullptr ? input_->dropped() : 0;
  const auto too_long = (input_ != nullptr ? input_->too_long() : tail_too_long_) + refused_lines_;
  if (options_.json) {
    const tools::Json json = {
        {"event", "summary"},
        {"lines", lines},
        {"unconfirmed", waiting},
        {"records_kept", kept_records_},
        {"records_sent_again", intake_->outbox().sent_again()},
        {"dropped", dropped},
        {"too_long", too_long}};
    return tools::print_line(program, tools::one_line_json(json));
  }
  tools::report(
      program,
      std::to_string(lines) + " lines read, " + std::to_string(waiting) + " not confirmed, " +
          std::to_string(intake_->outbox().sent_again()) + " records sent again, " +
          std::to_string(dropped) + " lines dropped, " + std::to_string(too_long) + " too long");
  return ExitCode::done;
}

}  // namespace ringcast::ringlog
