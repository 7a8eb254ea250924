// SPDX-License-Identifier: Apache-2.0
//
// Opening, writing and syncing the files of ringlog-write.
#include "tools/ringlog-write/store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds finish_pause{50};
constexpr std::string_view rotation_remedy =
    "; to begin a new file stop ringlog-write, move the file and its .position away, start again";

constexpr std::size_t adopted_line_bytes_max = std::size_t{64} << 20U;

// The file as it is, without a table. It may be far larger than our memory.
Result<LoadedState> adopt(int fd, const StoreOptions& options) {
  LoadedState loaded;
  auto& state = loaded.state;
  state.group = options.group;
  std::string text;  // of lines whose end was not yet read
  std::vector<char> block(options.adopt_block_bytes);
  for (;;) {
    const auto at = static_cast<off_t>(state.end.length + text.size());
    const auto got = ::pread(fd, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(options.path, "cannot read", errno);
    if (got == 0) break;
    const std::string_view read(block.data(), static_cast<std::size_t>(got));
    text += read;
    const auto end = read.rfind('\n');
    if (end == std::string_view::npos) {
      if (text.size() <= adopted_line_bytes_max) continue;
      return Error{
          Errc::corrupt,
          options.path + ": has more than " + std::to_string(adopted_line_bytes_max) +
              " bytes without a newline behind byte " + std::to_string(state.end.length) +
              "; that is no log, or a hole where it was cut"};
    }
    const auto whole = text.size() - (read.size() - end - 1);
    state.end.length += whole;
    state.end.lines += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    state.end.chain = chain_text(state.end.chain, std::string_view(text).substr(0, whole));
    text.erase(0, whole);
  }
  if (text.empty()) return loaded;
  return Error{
      Errc::corrupt, options.path + ": its last line is not complete; end it with a newline first"};
}

// Up to the end of the last whole record: a writer that was killed while the disk was full may
// have left part of one, which nobody was told of.
std::uint64_t whole_pending_bytes(const std::string& path) {
  Segment segment(path);
  while (segment.next()) {
  }
  return segment.whole_bytes();
}

}  // namespace

Result<LoadedState> Store::initial_state() {
  std::vector<std::string> notes;
  auto state = load_state(options_.path, notes);
  if (!state && !(options_.adopt && state.error().code == Errc::corrupt)) return state.error();
  for (const auto& note : notes) {
    options_.tell(note);
  }
  if (state && state->has_value()) {
    const auto& group = (*state)->state.group;
    if (group == options_.group) return std::move(**state);
    return Error{
        Errc::invalid_argument,
        options_.path + ": belongs to group " + group + "; use another file for group " +
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
  return adopt(lock_.get(), options_);
}

Result<void> Store::open(Instant now) {
  const auto directory = std::filesystem::path(options_.path).parent_path();
  if (!directory.empty()) {
    if (auto made = make_directories(directory.string()); !made) return made;
  }
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
  auto loaded = initial_state();
  if (!loaded) return loaded.error();
  written_ = loaded->state;
  planned_ = written_.end;
  lines_before_ = written_.end.lines;
  if (const auto holes = written_.table.holes(); holes > 0) {
    options_.tell(
        options_.path + ": " + std::to_string(holes) +
        " lines are not in it, though later ones of their producers are; they lie in a pending "
        "file, are marked as a gap, or came while no writer was there");
  }
  auto history = History::open(options_.path, *loaded);
  if (!history) return history.error();
  history_.emplace(std::move(history).value());
  return open_file(now);
}

Result<void> Store::open_file(Instant now) {
  auto file = AppendFile::open(options_.path, written_.end.length);
  if (!file) return file.error();
  file_.emplace(std::move(file).value());
  // What the snapshot vouches for is on the disk before it: a killed writer left it in memory.
  if (auto synced = file_->sync(); !synced) return synced;
  if (auto settled = history_->settle(); !settled) return settled;
  use_calls(*file_);
  history_->set_calls(options_.calls.write, options_.calls.sync);
  if (auto synced = sync_directory_of(options_.path); !synced) return synced.error();
  auto sidecar = Sidecar::create(options_.path, written_);
  if (!sidecar) return sidecar.error();
  sidecar_.emplace(std::move(sidecar).value());
  next_sync_ = now + options_.sync_interval;
  if (options_.keep.is_limited()) find_out_about_holes();
  if (options_.observer != nullptr) return options_.observer->on_open(written_);
  return {};
}

void Store::use_calls(AppendFile& file) const {
  if (options_.calls.write) file.set_write_function(options_.calls.write);
  if (options_.calls.sync) file.set_sync_function(options_.calls.sync);
}

void Store::take(ReconcilerOutput& output) {
  (void)set_aside(std::exchange(output.pending, {}));
  if (output.data.empty()) return;
  if (options_.observer != nullptr) options_.observer->on_take(planned_.length, output);
  output.origins.clear();
  for (auto& entry : output.entries) {
    planned_ = entry.after;
    if (entry.time_ms == 0) entry.time_ms = time_ms();
    unrecorded_.push_back(std::move(entry));
  }
  output.entries.clear();
  file_->append(output.data);
  output.data.clear();
}

void Store::flush(Instant now) {
  if (write_trouble_.may_try(now)) write(now);
}

void Store::write(Instant now) {
  auto result = write_file();
  // A pending file may lie where there is still room, and the other way round.
  auto pending = write_pending();
  if (result) result = std::move(pending);
  if (!result) {
    if (write_trouble_.on_failure(result.error().message, now)) {
      options_.tell(result.error().message + "; nothing is lost, trying again");
    }
  } else if (write_trouble_.on_success(now)) {
    options_.tell("writing again");
  }
}

Result<void> Store::write_file() {
  if (options_.observer != nullptr) {
    if (auto ready = options_.observer->before_write(); !ready) return ready;
  }
  if (file_->buffered() > 0) look_at_size();
  auto result = file_->flush();
  record_written();
  if (sidecar_->buffered() > 0) dirty_ = true;
  auto flushed = sidecar_->flush();
  if (flushed) flushed = history_->flush();
  return result ? flushed : result;
}

void Store::record_written() {
  while (!unrecorded_.empty() && unrecorded_.front().after.length <= file_->length()) {
    const auto entry = std::move(unrecorded_.front());
    unrecorded_.pop_front();
    apply(written_, entry);
    sidecar_->append(entry);
    history_->append(entry);
  }
}

Result<void> Store::write_pending() {
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

Result<void> Store::open_pending(const PendingRecord& pending) {
  const auto path = segment_path(options_.path, pending.configuration);
  if (!pending_files_.contains(path)) {
    // One of ours that was closed for idleness ends where we ended.
    struct stat status {};
    const bool is_ours = known_pending_.contains(path) && ::stat(path.c_str(), &status) == 0;
    const auto length =
        is_ours ? static_cast<std::uint64_t>(status.st_size) : whole_pending_bytes(path);
    auto file = AppendFile::open(path, length);
    if (!file) return file.error();
    use_calls(pending_files_.emplace(path, std::move(file).value()).first->second);
  }
  pending_files_.at(path).append(pending.text);
  if (known_pending_.insert(path).second) {
    new_names_ = true;
    options_.tell(
        "lines of configuration " + to_string(pending.configuration) +
        " cannot be written at their place; they go to " + path);
  }
  return {};
}

void Store::sync_if_due(Instant now) {
  if (dirty_ && now >= next_sync_) sync(now);
}

void Store::sync(Instant now) {
  look_at_name();
  const auto synced = sync_files();
  if (!synced) {
    if (sync_trouble_.on_failure(synced.error().message, now)) {
      options_.tell(
          synced.error().message +
          "; what was written last might not survive a power cut, trying again");
    }
    next_sync_ = *sync_trouble_.retry_at();
    return;
  }
  if (sync_trouble_.on_success(now)) options_.tell("synced again");
  next_sync_ = now + options_.sync_interval;
  dirty_ = false;
  if (options_.observer != nullptr && sidecar_->buffered() == 0) {
    options_.observer->on_kept(written_.end.length);
  }
  // Most configurations are over soon: their files are opened again if need be.
  std::erase_if(pending_files_, [](const auto& item) { return item.second.buffered() == 0; });
}

Result<void> Store::sync_files() {
  if (options_.observer != nullptr) {
    if (auto ready = options_.observer->before_sync(); !ready) return ready;
  }
  if (auto synced = file_->sync(); !synced) return synced;
  for (auto& [path, file] : pending_files_) {
    if (auto synced = file.sync(); !synced) return synced;
  }
  if (new_names_) {
    if (auto synced = options_.calls.sync_directory(options_.path); !synced) return synced;
    new_names_ = false;
  }
  const bool is_recorded = unrecorded_.empty() && file_->buffered() == 0;
  if (is_recorded && sidecar_->wants_snapshot()) return save();
  return sidecar_->sync();
}

// To be asked before writing: afterwards the file has the right size again, with a hole in it.
void Store::look_at_size() {
  struct stat status {};
  if (::fstat(file_->fd(), &status) != 0) return;
  const bool is_right = std::cmp_equal(status.st_size, file_->length());
  if (!is_right && !told_size_) {
    options_.tell(
        options_.path + ": holds " + std::to_string(status.st_size) + " bytes, not " +
        std::to_string(file_->length()) +
        ": another program cut it or wrote to it; the next lines go to their old place in it, "
        "behind zero bytes where something was cut" +
        std::string(rotation_remedy));
  }
  told_size_ = !is_right;
}

void Store::look_at_name() {
  struct stat ours {};
  struct stat named {};
  if (::fstat(file_->fd(), &ours) != 0) return;
  const bool is_there = ::stat(options_.path.c_str(), &named) == 0;
  if (!is_there && errno != ENOENT) return;
  const bool is_ours = is_there && named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
  if (!is_ours && !told_name_) {
    options_.tell(
        options_.path +
        ": another program renamed, removed or replaced it; lines still go to the file that had "
        "this name" +
        std::string(rotation_remedy));
  }
  told_name_ = !is_ours;
}

std::optional<Store::Instant> Store::next_step() const {
  std::optional<Instant> next;
  if (unwritten_bytes() > 0) next = write_trouble_.retry_at();
  if (dirty_) next = std::min(next.value_or(next_sync_), next_sync_);
  return next;
}

bool Store::finish(Instant deadline) {
  using Clock = std::chrono::steady_clock;
  for (;;) {
    write(Clock::now());
    if (dirty_) sync(Clock::now());
    if (is_kept()) break;
    if (Clock::now() >= deadline) return false;
    (void)::poll(nullptr, 0, static_cast<int>(finish_pause.count()));
  }
  const auto saved = save();
  if (!saved) options_.tell(saved.error().message);
  return saved.ok();
}

// Entries leave the sidecar when the history has them.
Result<void> Store::save() {
  if (auto settled = history_->settle(); !settled) return settled;
  return sidecar_->snapshot(written_);
}

std::size_t Store::unwritten_bytes() const {
  auto bytes = file_->buffered() + sidecar_->buffered() + history_->buffered() + pending_bytes_;
  for (const auto& [path, file] : pending_files_) {
    bytes += file.buffered();
  }
  return bytes;
}

}  // namespace ringcast::ringlog
