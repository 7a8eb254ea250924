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
constexpr std::chrono::milliseconds table_retry{20};
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds table_time_max{15};
constexpr std::chrono::seconds leave_time{30};  // a long backlog takes its time
constexpr std::chrono::seconds finish_time{2};
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t table_bytes_max = std::size_t{1} << 20U;  // others' lines go in between
constexpr std::size_t senders_max = 1000;
constexpr std::size_t held_bytes_max = std::size_t{128} << 20U;

StoreOptions store_options(const WriterOptions& options) {
  StoreOptions store;
  store.calls = options.calls;
  store.group = options.group;
  store.path = options.path;
  store.adopt = options.adopt;
  store.observer = options.observer;
  store.tell = [](const std::string& sentence) { tools::report(program, sentence); };
  return store;
}

}  // namespace

Writer::Writer(WriterOptions options)
    : options_(std::move(options)), store_(store_options(options_)) {}

ExitCode Writer::run(int stop_fd) {
  started_ = Clock::now();
  if (auto opened = store_.open(started_); !opened) {
    tools::report(program, opened.error().message);
    return opened.error().code == Errc::invalid_argument ? ExitCode::usage : ExitCode::failed;
  }
  reconciler_.emplace(options_.group, store_.written().table, store_.written().chain);
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
    collect();
    publish_tables();
    store_.flush(Clock::now());
    store_.sync_if_due(Clock::now());
    report_progress();
    tell_awaited();
    if (options_.count && planned_lines() >= *options_.count) return finish();
    if (wait(stop_fd)) return finish();
  }
}

Client::Clock::time_point Writer::next_deadline() const {
  auto deadline = Clock::now() + patience;
  deadline = std::min(deadline, store_.next_step().value_or(deadline));
  if (!tables_.empty()) deadline = std::min(deadline, Clock::now() + table_retry);
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
  joined_writers_ = false;
  tables_.clear();
  progress_.clear();
  reconciler_->on_session(
      link_->client()->name(), std::min(link_->client()->message_bytes_max(), table_bytes_max));
  if (auto joined = link_->client()->join(options_.group); !joined) {
    end_session(joined.error().message);
  }
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
  reconciler_->on_event(std::move(event));
  if (reconciler_->in_group() && !joined_writers_) {
    joined_writers_ = true;
    const auto joined = link_->client()->join(writers_group(options_.group));
    if (!joined) end_session(joined.error().message);
  }
  return bytes;
}

void Writer::end_session(const std::string& reason) {
  reconciler_->on_session_end();
  tables_.clear();
  waiting_since_.reset();
  link_->drop(reason);
}

void Writer::collect() {
  auto output = reconciler_->take();
  for (const auto& sentence : output.reports) {
    tools::report(program, sentence);
  }
  store_.take(output, reconciler_->chain(), reconciler_->position());
  for (auto& table : output.tables) {
    tables_.push_back(std::move(table));
  }
  for (const auto& [sender, fresh] : output.progress) {
    auto& known = progress_[sender].since;
    extend(known.written, fresh.written);
    known.bytes += fresh.bytes;
    known.is_awaited = known.is_awaited || fresh.is_awaited;
  }
  if (link_->client() != nullptr && reconciler_->held_bytes() > held_bytes_max) {
    end_session("too much came while waiting for another writer's table");
    collect();
  }
}

bool Writer::publish(
    const std::string& to, std::int32_t type, const std::vector<std::byte>& payload) {
  Publication publication;
  publication.groups = {to};
  publication.payload = payload;
  publication.service = Service::safe;
  publication.type = type;
  publication.confirm = false;
  const auto published = link_->client()->try_publish(publication);
  if (published) return true;
  const auto code = published.error().code;
  if (code == Errc::would_block || code == Errc::inbox_full) return false;
  // The session's end is told by its event.
  if (code != Errc::closed) {
    tools::report(program, "not sent to " + to + ": " + published.error().message);
  }
  return true;
}

void Writer::publish_tables() {
  while (link_->client() != nullptr && !tables_.empty()) {
    if (!publish(writers_group(options_.group), table_type, tables_.front())) return;
    tables_.pop_front();
  }
}

// Only what is in the file counts: a publisher that hears nothing slows down. One that waits
// for us forgets its lines then, and hears only of what is on the disk.
void Writer::report_progress() {
  if (link_->client() == nullptr || store_.unwritten_bytes() > 0) return;
  for (auto& [sender, progress] : progress_) {
    const auto& since = progress.since;
    const bool is_due = !progress.is_known || since.is_awaited || since.bytes >= progress_bytes;
    if (since.bytes == 0 || !is_due || (since.is_awaited && !store_.is_kept())) continue;
    if (!publish(to_string(sender), progress_type, encode(since.written))) return;
    progress.since.bytes = 0;
    progress.since.is_awaited = false;
    progress.is_known = true;
  }
  if (progress_.size() <= senders_max) return;
  std::erase_if(progress_, [](const auto& item) { return !item.second.since.is_awaited; });
}

bool Writer::may_receive() const { return store_.unwritten_bytes() < options_.unwritten_bytes_max; }

std::uint64_t Writer::planned_lines() const {
  return store_.planned_lines() - store_.lines_before();
}

void Writer::tell_awaited() {
  if (link_->client() == nullptr || reconciler_->is_live() || reconciler_->awaited().empty()) {
    waiting_since_.reset();
    return;
  }
  const auto now = Clock::now();
  const bool is_another = waited_view_ != reconciler_->awaited_view();
  if (!waiting_since_ || is_another) waiting_since_ = told_awaited_ = now;
  waited_view_ = reconciler_->awaited_view();
  std::string names;
  for (const auto& name : reconciler_->awaited()) {
    names += " " + name;
  }
  if (now - *waiting_since_ >= table_time_max) {
    tools::report(
        program,
        "no table came from" + names +
            "; going on without: lines that only it has are marked if it answers later");
    reconciler_->give_up();
    collect();
  } else if (now - told_awaited_ >= patience) {
    tools::report(program, "still waiting for the table of" + names + "; lines are held in memory");
    told_awaited_ = now;
  }
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
    reconciler_->on_event(std::move(event).value());
    collect();
    if (store_.unwritten_bytes() > batch_bytes) store_.flush(Clock::now());
  }
  (void)client->close(std::max(deadline, Clock::now() + finish_time));
}

ExitCode Writer::finish() {
  leave(Clock::now() + leave_time);
  reconciler_->on_session_end();
  collect();
  const bool complete = store_.finish(Clock::now() + finish_time);
  if (const auto rest = store_.planned_lines() - store_.written().lines; rest > 0) {
    tools::report(
        program,
        std::to_string(rest) +
            " lines could not be written; they are not in the file and not in its sidecar");
  }
  const ExitCode told = summarize();
  return complete ? told : ExitCode::failed;
}

ExitCode Writer::summarize() const {
  const auto& counters = reconciler_->counters();
  if (options_.json) {
    const tools::Json json = {
        {"event", "summary"},
        {"file", options_.path},
        {"lines", store_.written().lines - store_.lines_before()},
        {"lines_total", store_.written().lines},
        {"distinct", store_.written().table.count()},
        {"bytes", store_.written().length},
        {"duplicates", counters.duplicates},
        {"views", counters.views},
        {"configurations", counters.configurations},
        {"sessions", session_count_},
        {"gaps", counters.gaps},
        {"gap_lines", counters.gap_lines},
        {"pending_lines", counters.pending_lines},
        {"lost_lines", counters.lost_lines},
        {"holes", store_.written().table.holes()},
        {"foreign", counters.foreign}};
    return tools::print_line(program, tools::one_line_json(json));
  }
  tools::report(
      program,
      options_.path + ": " + std::to_string(store_.written().lines - store_.lines_before()) +
          " lines written, " + std::to_string(counters.duplicates) + " duplicates dropped, " +
          std::to_string(counters.views) + " views, " + std::to_string(counters.configurations) +
          " configurations, " + std::to_string(counters.gaps) + " gaps (" +
          std::to_string(counters.gap_lines) + " lines), " +
          std::to_string(counters.pending_lines) + " lines pending");
  return ExitCode::done;
}

}  // namespace ringcast::ringlog
