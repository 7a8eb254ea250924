// SPDX-License-Identifier: Apache-2.0
//
// The loop of ringlog-write and its files.
#include "tools/ringlog-write/writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/progress.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-write";
constexpr std::chrono::milliseconds retry_pause_min{50};
constexpr std::chrono::milliseconds retry_pause_max{2000};
constexpr std::chrono::milliseconds table_retry{20};
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds leave_time{30};  // a long backlog takes its time
constexpr std::chrono::seconds finish_time{2};
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t senders_max = 1000;
constexpr std::size_t held_bytes_max = std::size_t{128} << 20U;

Result<FileState> adopt(const std::string& path, const std::string& group) {
  auto content = read_file(path);
  if (!content) return content.error();
  const auto text = content->value_or("");
  if (!text.empty() && text.back() != '\n') {
    return Error{
        Errc::corrupt, path + ": its last line is not complete; end it with a newline first"};
  }
  FileState state;
  state.group = group;
  state.length = text.size();
  state.lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  state.chain = chain_text(0, text);
  return state;
}

}  // namespace

Writer::Writer(WriterOptions options) : options_(std::move(options)) {}

Result<FileState> Writer::initial_state() {
  std::vector<std::string> notes;
  auto state = load_state(options_.path, notes);
  if (!state && !(options_.adopt && state.error().code == Errc::corrupt)) return state.error();
  for (const auto& note : notes) {
    tools::report(program, note);
  }
  if (state && state->has_value()) {
    if ((*state)->group == options_.group) return std::move(**state);
    return Error{
        Errc::invalid_argument,
        options_.path + ": belongs to group " + (*state)->group + "; use another file for group " +
            options_.group};
  }
  struct stat status {};
  if (::fstat(lock_.get(), &status) != 0) return system_error(options_.path, "cannot stat", errno);
  if (status.st_size > 0 && !options_.adopt) {
    return Error{
        Errc::invalid_argument,
        options_.path + ": holds data but has no " + sidecar_path(options_.path) +
            "; name a new file, or start with --adopt to append to it as it is"};
  }
  return adopt(options_.path, options_.group);
}

Result<void> Writer::open() {
  lock_ = Descriptor(::open(options_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock_.is_open()) return system_error(options_.path, "cannot open for writing", errno);
  struct stat status {};
  if (::fstat(lock_.get(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return Error{Errc::invalid_argument, options_.path + ": not a regular file"};
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Errc::invalid_argument, options_.path + ": another ringlog-write is writing this file"};
  }
  auto state = initial_state();
  if (!state) return state.error();
  written_ = std::move(state).value();
  auto file = AppendFile::open(options_.path, written_.length);
  if (!file) return file.error();
  file_.emplace(std::move(file).value());
  if (auto synced = sync_directory_of(options_.path); !synced) return synced.error();
  auto sidecar = Sidecar::create(options_.path, written_);
  if (!sidecar) return sidecar.error();
  sidecar_.emplace(std::move(sidecar).value());
  planned_length_ = written_.length;
  planned_lines_ = written_.lines;
  lines_before_ = written_.lines;
  reconciler_.emplace(options_.group, written_.table, written_.chain);
  return {};
}

ExitCode Writer::run(int stop_fd) {
  if (auto opened = open(); !opened) {
    tools::report(program, opened.error().message);
    return opened.error().code == Errc::invalid_argument ? ExitCode::usage : ExitCode::failed;
  }
  started_ = Clock::now();
  next_sync_ = started_ + options_.sync_interval;
  link_.emplace(options_.client, program);
  return loop(stop_fd);
}

ExitCode Writer::loop(int stop_fd) {
  for (;;) {
    keep_session();
    if (link_->fatal()) {
      tools::report(program, link_->fatal()->message);
      return ExitCode::usage;
    }
    if (!link_->was_ever_connected() && Clock::now() - started_ > options_.connect_timeout) {
      tools::report(program, link_->last_error());
      return ExitCode::unreachable;
    }
    receive();
    collect();
    publish_tables();
    flush_files();
    report_progress();
    sync_if_due();
    tell_awaited();
    if (options_.count && planned_lines_ - lines_before_ >= *options_.count) return finish();
    if (wait(stop_fd)) return finish();
  }
}

Client::Clock::time_point Writer::next_deadline() const {
  auto deadline = Clock::now() + patience;
  if (dirty_) deadline = std::min(deadline, next_sync_);
  if (retry_at_) deadline = std::min(deadline, *retry_at_);
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
  reconciler_->on_session(link_->client()->name());
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
  for (auto& pending : output.pending) {
    pending_bytes_ += pending.text.size();
    pending_.push_back(std::move(pending));
  }
  for (auto& table : output.tables) {
    tables_.push_back(std::move(table));
  }
  for (const auto& [sender, fresh] : output.progress) {
    auto& known = progress_[sender].since;
    extend(known.written, fresh.written);
    known.bytes += fresh.bytes;
    known.is_awaited = known.is_awaited || fresh.is_awaited;
  }
  if (!output.data.empty()) collect_data(output);
  if (link_->client() != nullptr && reconciler_->held_bytes() > held_bytes_max) {
    end_session("too much came while waiting for another writer's table");
    collect();
  }
}

void Writer::collect_data(ReconcilerOutput& output) {
  FileEntry entry;
  for (const auto& marker : output.markers) {
    entry.markers.push_back(FileMarker{planned_length_ + marker.offset, marker.missing});
  }
  planned_length_ += output.data.size();
  planned_lines_ += output.lines;
  entry.length = planned_length_;
  entry.lines = planned_lines_;
  entry.chain = reconciler_->chain();
  entry.position = reconciler_->position();
  entry.additions = std::move(output.additions);
  file_->append(output.data);
  unrecorded_.push_back(std::move(entry));
}

Result<void> Writer::open_pending(const PendingRecord& pending) {
  const auto path = options_.path + ".pending-" + to_string(pending.configuration);
  if (!pending_files_.contains(path)) {
    struct stat status {};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    auto file = AppendFile::open(path, exists ? static_cast<std::uint64_t>(status.st_size) : 0);
    if (!file) return file.error();
    pending_files_.emplace(path, std::move(file).value());
  }
  pending_files_.at(path).append(pending.text);
  if (told_pending_.insert(path).second) {
    tools::report(
        program,
        "lines of configuration " + to_string(pending.configuration) +
            " were not delivered safe in a majority; they go to " + path);
  }
  return {};
}

Result<void> Writer::flush_pending() {
  while (!pending_.empty()) {
    if (auto opened = open_pending(pending_.front()); !opened) return opened;
    pending_bytes_ -= pending_.front().text.size();
    pending_.pop_front();
  }
  for (auto& [path, file] : pending_files_) {
    if (file.buffered() > 0) dirty_ = true;
    if (auto flushed = file.flush(); !flushed) return flushed;
  }
  return {};
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
  tools::report(program, "not sent to " + to + ": " + published.error().message);
  return true;
}

void Writer::publish_tables() {
  while (link_->client() != nullptr && !tables_.empty()) {
    if (!publish(writers_group(options_.group), table_type, tables_.front())) return;
    tables_.pop_front();
  }
}

// Only what is in the file counts: a publisher that hears nothing slows down.
void Writer::report_progress() {
  if (link_->client() == nullptr || unwritten_bytes() > 0) return;
  for (auto& [sender, progress] : progress_) {
    const auto& since = progress.since;
    const bool is_due = !progress.is_known || since.is_awaited || since.bytes >= progress_bytes;
    if (since.bytes == 0 || !is_due) continue;
    if (!publish(to_string(sender), progress_type, encode(since.written))) return;
    progress.since.bytes = 0;
    progress.since.is_awaited = false;
    progress.is_known = true;
  }
  if (progress_.size() > senders_max) progress_.clear();
}

std::size_t Writer::unwritten_bytes() const {
  auto bytes = file_->buffered() + pending_bytes_;
  for (const auto& [path, file] : pending_files_) {
    bytes += file.buffered();
  }
  return bytes;
}

bool Writer::may_receive() const { return unwritten_bytes() < options_.unwritten_bytes_max; }

void Writer::trouble(const Error& error) {
  retry_pause_ = std::clamp(2 * retry_pause_, retry_pause_min, retry_pause_max);
  retry_at_ = Clock::now() + retry_pause_;
  if (error.message == last_trouble_) return;
  last_trouble_ = error.message;
  tools::report(program, error.message + "; nothing is lost, trying again");
}

void Writer::flush_files() {
  if (retry_at_ && Clock::now() < *retry_at_) return;
  std::optional<Error> error;
  if (auto flushed = file_->flush(); !flushed) error = flushed.error();
  record_written();
  if (auto flushed = sidecar_->flush(); !flushed) error = flushed.error();
  if (auto flushed = flush_pending(); !flushed) error = flushed.error();
  if (error) {
    trouble(*error);
    return;
  }
  if (!last_trouble_.empty()) tools::report(program, "writing again");
  last_trouble_.clear();
  retry_at_.reset();
  retry_pause_ = {};
}

void Writer::record_written() {
  while (!unrecorded_.empty() && unrecorded_.front().length <= file_->length()) {
    const auto entry = std::move(unrecorded_.front());
    unrecorded_.pop_front();
    apply(written_, entry);
    sidecar_->append(entry);
    dirty_ = true;
  }
}

void Writer::sync_if_due() {
  if (dirty_ && !retry_at_ && Clock::now() >= next_sync_) sync();
}

void Writer::sync() {
  next_sync_ = Clock::now() + options_.sync_interval;
  auto synced = file_->sync();
  for (auto& [path, file] : pending_files_) {
    if (synced) synced = file.sync();
  }
  if (synced && unrecorded_.empty() && sidecar_->wants_snapshot()) {
    synced = sidecar_->snapshot(written_);
  } else if (synced) {
    synced = sidecar_->sync();
  }
  if (!synced) {
    trouble(synced.error());
    return;
  }
  dirty_ = false;
  // Most configurations are over soon: their files are opened again if need be.
  std::erase_if(pending_files_, [](const auto& item) { return item.second.buffered() == 0; });
}

void Writer::tell_awaited() {
  if (link_->client() == nullptr || reconciler_->is_live() || reconciler_->awaited().empty()) {
    waiting_since_.reset();
    return;
  }
  if (!waiting_since_) waiting_since_ = Clock::now();
  if (Clock::now() - *waiting_since_ < patience) return;
  std::string names;
  for (const auto& name : reconciler_->awaited()) {
    names += " " + name;
  }
  tools::report(program, "still waiting for the table of" + names + "; lines are held in memory");
  waiting_since_ = Clock::now();
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
    if (file_->buffered() > batch_bytes) flush_files();
  }
  (void)client->close(std::max(deadline, Clock::now() + finish_time));
}

ExitCode Writer::finish() {
  leave(Clock::now() + leave_time);
  const auto deadline = Clock::now() + finish_time;
  reconciler_->on_session_end();
  collect();
  bool complete = false;
  while (!complete) {
    retry_at_.reset();
    flush_files();
    complete = unwritten_bytes() == 0 && !retry_at_;
    if (complete) sync();
    complete = complete && !dirty_;
    if (complete || Clock::now() >= deadline) break;
    (void)::poll(nullptr, 0, static_cast<int>(retry_pause_min.count()));
  }
  if (complete) {
    if (auto saved = sidecar_->snapshot(written_); !saved) {
      tools::report(program, saved.error().message);
      complete = false;
    }
  } else {
    tools::report(
        program,
        std::to_string(planned_lines_ - written_.lines) +
            " lines could not be written; they are not in the file and not in its sidecar");
  }
  summarize();
  return complete ? ExitCode::done : ExitCode::failed;
}

void Writer::summarize() const {
  const auto& counters = reconciler_->counters();
  if (options_.json) {
    const tools::Json json = {
        {"event", "summary"},
        {"file", options_.path},
        {"lines", written_.lines - lines_before_},
        {"lines_total", written_.lines},
        {"distinct", written_.table.count()},
        {"bytes", written_.length},
        {"duplicates", counters.duplicates},
        {"views", counters.views},
        {"configurations", counters.configurations},
        {"sessions", session_count_},
        {"gaps", counters.gaps},
        {"gap_lines", counters.gap_lines},
        {"pending_lines", counters.pending_lines},
        {"lost_lines", counters.lost_lines},
        {"holes", written_.table.holes()},
        {"foreign", counters.foreign}};
    (void)std::puts(tools::one_line_json(json).c_str());
    (void)std::fflush(stdout);
    return;
  }
  tools::report(
      program,
      options_.path + ": " + std::to_string(written_.lines - lines_before_) + " lines written, " +
          std::to_string(counters.duplicates) + " duplicates dropped, " +
          std::to_string(counters.views) + " views, " + std::to_string(counters.configurations) +
          " configurations, " + std::to_string(counters.gaps) + " gaps (" +
          std::to_string(counters.gap_lines) + " lines), " +
          std::to_string(counters.pending_lines) + " lines pending");
}

}  // namespace ringcast::ringlog
