// SPDX-License-Identifier: Apache-2.0
//
// The loop of ringlog-write and its files.
#include "tools/ringlog-write/writer.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog/progress.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-write";
constexpr std::chrono::milliseconds send_retry{10};
constexpr std::chrono::seconds question_time{1};
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds leave_time{30};  // a long backlog takes its time
constexpr std::chrono::seconds finish_time{2};
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t senders_max = 1000;

StoreOptions store_options(const WriterOptions& options) {
  StoreOptions store;
  store.calls = options.calls;
  store.group = options.group;
  store.path = options.path;
  store.adopt = options.adopt;
  store.keep = options.keep;
  store.observer = options.observer;
  store.tell = [](const std::string& sentence) { tools::report(program, sentence); };
  return store;
}

}  // namespace

Writer::Writer(WriterOptions options)
    : options_(std::move(options)), scribe_(store_options(options_)) {}

ExitCode Writer::run(int stop_fd) {
  started_ = Clock::now();
  if (auto opened = scribe_.open(started_); !opened) {
    tools::report(program, opened.error().message);
    return opened.error().code == Errc::invalid_argument ? ExitCode::usage : ExitCode::failed;
  }
  link_.emplace(options_.client, program);
  return loop(stop_fd);
}

ExitCode Writer::loop(int stop_fd) {
  for (;;) {
    keep_session();
    if (link_->fatal()) {
      tools::report(program, link_->fatal()->message);
      if (link_->was_ever_connected()) (void)finish();
      return tools::exit_code_of(*link_->fatal());
    }
    if (!link_->was_ever_connected() && Clock::now() - started_ > options_.connect_timeout) {
      tools::report(program, link_->last_error());
      return ExitCode::unreachable;
    }
    receive();
    scribe_.step(Clock::now());
    join_if_ready();
    send_outgoing();
    report_progress();
    show_figures();
    if (const auto reason = scribe_.restart_reason()) end_session(*reason);
    if (options_.count && planned_lines() >= *options_.count) return finish();
    if (wait(stop_fd)) return finish();
  }
}

Client::Clock::time_point Writer::next_deadline() const {
  auto deadline = Clock::now() + patience;
  deadline = std::min(deadline, scribe_.next_step().value_or(deadline));
  if (scribe_.has_outgoing()) deadline = std::min(deadline, Clock::now() + send_retry);
  return deadline;
}

bool Writer::wait(int stop_fd) {
  auto deadline = next_deadline();
  std::array<pollfd, 2> fds{};
  fds[0] = pollfd{stop_fd, POLLIN, 0};
  fds[1] = pollfd{-1, 0, 0};
  auto* const client = link_->client();
  if (client == nullptr) {
    deadline = std::min(deadline, link_->next_attempt());
  } else if (may_receive()) {
    if (client->has_event()) deadline = Clock::now();
    const auto events = POLLIN | (client->wants_write() ? POLLOUT : 0);
    fds[1] = pollfd{client->fd(), static_cast<short>(events), 0};
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
  return (fds[0].revents & POLLIN) != 0;
}

void Writer::keep_session() {
  if (!link_->try_connect(Clock::now())) return;
  ++session_count_;
  joined_ = joined_writers_ = false;
  progress_.clear();
  const auto writers = writers_there();
  const auto& client = *link_->client();
  scribe_.on_session(client.name(), client.message_bytes_max(), writers, Clock::now());
  join_if_ready();
}

// Without an answer we find out as a member who else is there.
std::set<std::string> Writer::writers_there() {
  std::set<std::string> names;
  const auto groups =
      link_->client()->groups(writers_group(options_.group), Clock::now() + question_time);
  if (!groups) return names;
  for (const auto& group : *groups) {
    for (const auto& member : group.members) {
      names.insert(to_string(member));
    }
  }
  return names;
}

void Writer::join_if_ready() {
  if (link_->client() != nullptr && scribe_.may_join() && !std::exchange(joined_, true)) {
    join(options_.group);
  }
  if (link_->client() != nullptr && scribe_.may_join_writers() &&
      !std::exchange(joined_writers_, true)) {
    join(writers_group(options_.group));
  }
}

void Writer::join(const std::string& group) {
  const auto joined = link_->client()->join(group);
  if (!joined) end_session(joined.error().message);
}

void Writer::receive() {
  std::size_t bytes = 0;
  while (link_->client() != nullptr && may_receive() && bytes < batch_bytes) {
    auto event = link_->client()->try_receive();
    if (!event) {
      end_session(event.error().message);
    } else if (!event->has_value()) {
      return;
    } else {
      bytes += take_event(std::move(**event));
    }
  }
}

std::size_t Writer::take_event(Event event) {
  if (const auto* closed = std::get_if<Closed>(&event)) {
    end_session(closed->reason);
    return 0;
  }
  if (const auto* refused = std::get_if<Refused>(&event)) {
    end_session(refused->error.message);
    return 0;
  }
  constexpr std::size_t event_bytes = 256;
  const auto* message = std::get_if<Message>(&event);
  const auto bytes = event_bytes + (message == nullptr ? 0 : message->payload.size());
  scribe_.on_event(std::move(event), Clock::now());
  join_if_ready();
  return bytes;
}

void Writer::end_session(const std::string& reason) {
  scribe_.on_session_end();
  link_->drop(reason);
}

bool Writer::publish(const Outgoing& message) {
  Publication publication;
  publication.groups = {message.to};
  if (!message.also_to.empty()) publication.groups.push_back(message.also_to);
  publication.payload = message.payload;
  publication.service = message.service;
  publication.type = message.type;
  publication.confirm = false;
  const auto published = link_->client()->try_publish(publication);
  if (published) return true;
  const auto code = published.error().code;
  if (code == Errc::would_block || code == Errc::inbox_full) return false;
  // The session's end is told by its event.
  if (code != Errc::closed) {
    tools::report(program, "not sent to " + message.to + ": " + published.error().message);
  }
  return true;
}

void Writer::send_outgoing() {
  auto& outgoing = scribe_.outgoing();
  while (link_->client() != nullptr && !outgoing.empty()) {
    if (!publish(outgoing.front())) return;
    outgoing.pop_front();
    if (outgoing.empty()) scribe_.step(Clock::now());
  }
}

// Only what is in the file counts: a publisher that hears nothing slows down. One that waits
// for us forgets its lines then, and hears only of what is on the disk.
void Writer::report_progress() {
  auto& store = scribe_.store();
  for (const auto& [sender, fresh] : scribe_.take_progress()) {
    auto& known = progress_[sender].since;
    extend(known.written, fresh.written);
    known.bytes += fresh.bytes;
    known.is_awaited = known.is_awaited || fresh.is_awaited;
  }
  if (link_->client() == nullptr || store.unwritten_bytes() > 0) return;
  for (auto& [sender, progress] : progress_) {
    const auto& since = progress.since;
    const bool is_due = !progress.is_known || since.is_awaited || since.bytes >= progress_bytes;
    if (since.bytes == 0 || !is_due || (since.is_awaited && !store.is_kept())) continue;
    const Outgoing message{to_string(sender), progress_type, Service::safe, encode(since.written)};
    if (!publish(message)) return;
    progress.since.bytes = 0;
    progress.since.is_awaited = false;
    progress.is_known = true;
  }
  if (progress_.size() <= senders_max) return;
  std::erase_if(progress_, [](const auto& item) { return !item.second.since.is_awaited; });
}

bool Writer::may_receive() const {
  return scribe_.store().unwritten_bytes() < options_.unwritten_bytes_max;
}

std::uint64_t Writer::planned_lines() const {
  return scribe_.store().planned_lines() - scribe_.store().lines_before();
}

// Everything ordered before our leave is received and written; the rest is the next start's gap.
void Writer::leave(Clock::time_point deadline) {
  auto* const client = link_->client();
  if (client == nullptr) return;
  const auto left = client->leave(options_.group);
  while (left) {
    auto event = client->receive_until(deadline);
    if (!event || std::holds_alternative<Closed>(*event)) break;
    const auto* const over = std::get_if<Left>(&*event);
    if (over != nullptr && over->group == options_.group) break;
    scribe_.on_event(std::move(event).value(), Clock::now());
    if (scribe_.store().unwritten_bytes() > batch_bytes) scribe_.store().flush(Clock::now());
  }
  (void)client->close(std::max(deadline, Clock::now() + finish_time));
}

ExitCode Writer::finish() {
  leave(Clock::now() + leave_time);
  scribe_.on_session_end();
  auto& store = scribe_.store();
  const bool complete = store.finish(Clock::now() + finish_time);
  if (const auto rest = store.planned_lines() - store.written().end.lines; rest > 0) {
    tools::report(
        program,
        std::to_string(rest) +
            " lines could not be written; they are not in the file and not in its sidecar");
  }
  show_figures();
  const ExitCode told = summarize();
  return complete ? told : ExitCode::failed;
}

void Writer::show_figures() {
  if (options_.figures == nullptr) return;
  const auto& store = scribe_.store();
  const auto& mind = scribe_.reconciler();
  WriterFigures figures;
  figures.is_connected = link_->client() != nullptr;
  figures.is_in_step = mind.is_live() && !mind.is_unsure();
  figures.lines_total = store.written().end.lines;
  figures.bytes = store.written().end.length;
  figures.begins = store.begins().length;
  figures.lines_released = store.begins().lines;
  figures.unwritten_bytes = store.unwritten_bytes();
  figures.sessions = session_count_;
  figures.pending_files = mind.segments();
  figures.counters = mind.counters();
  options_.figures->set(figures);
}

ExitCode Writer::summarize() const {
  const auto& counters = scribe_.reconciler().counters();
  const auto& store = scribe_.store();
  const auto& written = store.written();
  if (options_.json) {
    tools::Json json = {
        {"event", "summary"},
        {"file", options_.path},
        {"lines", written.end.lines - store.lines_before()},
        {"lines_total", written.end.lines},
        {"distinct", written.table.count()},
        {"bytes", written.end.length},
        {"begins", written.front.begins.length},
        {"lines_released", written.front.begins.lines},
        {"kept_bytes", written.end.length - written.front.begins.length},
        {"sessions", session_count_},
        {"open_gap_lines", scribe_.reconciler().open_gap_lines()},
        {"holes", written.table.holes()}};
    put_counters(json, counters);
    return tools::print_line(program, tools::one_line_json(json));
  }
  tools::report(
      program,
      options_.path + ": " + std::to_string(written.end.lines - store.lines_before()) +
          " lines written, " + std::to_string(counters.fetched_lines) + " of them fetched and " +
          std::to_string(counters.merged_lines) + " merged, " +
          std::to_string(counters.duplicates) + " duplicates dropped, " +
          std::to_string(counters.views) + " views, " + std::to_string(counters.configurations) +
          " configurations, " + std::to_string(counters.gaps) + " gaps (" +
          std::to_string(counters.gap_lines) + " lines), " +
          std::to_string(counters.pending_lines) + " lines set aside, " +
          std::to_string(counters.cut_lines) + " lines taken out, " +
          std::to_string(counters.unkept_lines) + " lines that no writer keeps any more");
  return ExitCode::done;
}

}  // namespace ringcast::ringlog
