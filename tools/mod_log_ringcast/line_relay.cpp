// SPDX-License-Identifier: Apache-2.0
//
// Write, else keep, else drop.
#include "tools/mod_log_ringcast/line_relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t overhead_bytes = 96;  // of a kept frame: string, place in the queue
constexpr std::size_t drop_notes_max = 64;  // further groups are counted, without a note
constexpr std::chrono::milliseconds look_again{200};
constexpr std::chrono::milliseconds lock_patience{100};

std::size_t size_of(std::span<const std::string_view> parts) {
  std::size_t bytes = 0;
  for (const auto part : parts) {
    bytes += part.size();
  }
  return bytes;
}

std::uint64_t lines_of(std::span<const std::string_view> parts) {
  std::uint64_t lines = 0;
  for (const auto part : parts) {
    lines += static_cast<std::uint64_t>(std::count(part.begin(), part.end(), '\n'));
  }
  return std::max<std::uint64_t>(lines, 1);
}

std::string joined(std::string_view head, std::span<const std::string_view> parts) {
  std::string packet;
  packet.reserve(head.size() + size_of(parts));
  packet = head;
  for (const auto part : parts) {
    packet += part;
  }
  return packet;
}

}  // namespace

LineRelay::LineRelay(Options options)
    : options_(std::move(options)), number_{static_cast<std::uint32_t>(::getpid()), 0} {}

LineRelay::~LineRelay() {
  if (thread_.joinable()) (void)close(std::chrono::milliseconds(0));
}

void LineRelay::send(std::string_view head, std::span<const std::string_view> parts) {
  if (kept_count_ == 0 && send_whole(head, parts)) return;
  const std::lock_guard lock(mutex_);
  if (size_of(parts) > packet_text_bytes_max) {
    drop(head, parts, "it is longer than 256 KiB");
  } else {
    send_frames(head, parts);
  }
}

LineRelay::Outcome LineRelay::try_write(std::string_view frame) const {
  for (;;) {
    if (::write(options_.pipe, frame.data(), frame.size()) >= 0) return Outcome::written;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == ENOMEM ? Outcome::full : Outcome::refused;
  }
}

// Most lines: one frame, for which there is room.
bool LineRelay::send_whole(std::string_view head, std::span<const std::string_view> parts) {
  if (head.size() + size_of(parts) > whole_packet_bytes_max) return false;
  std::array<char, frame_bytes_max> room;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  return try_write(encode_whole(room, head, parts)) == Outcome::written;
}

// Under the lock, so that one long packet of this process ends before the next begins.
void LineRelay::send_frames(std::string_view head, std::span<const std::string_view> parts) {
  auto frames = frames_of(joined(head, parts));
  auto left = frames.begin();
  while (kept_count_ == 0 && left != frames.end()) {
    const auto outcome = try_write(*left);
    if (outcome == Outcome::refused) return drop(head, parts, "the pipe refused it");
    if (outcome == Outcome::full) break;
    ++left;
  }
  const bool has_begun = left != frames.begin();
  frames.erase(frames.begin(), left);
  if (frames.empty()) return;
  if (!has_begun && !has_room_for(frames)) {
    return drop(head, parts, "the publisher takes no lines and RingcastBuffer is full");
  }
  if (!thread_.joinable() && !start_thread()) {
    return drop(head, parts, "no thread could be started");
  }
  if (!has_begun) queue_notes();
  push(std::move(frames), lines_of(parts));
}

std::vector<std::string> LineRelay::frames_of(std::string_view packet) {
  if (packet.size() > whole_packet_bytes_max) ++number_.number;
  return encode_frames(packet, number_);
}

bool LineRelay::has_room_for(const std::vector<std::string>& frames) const {
  auto bytes = kept_bytes_;
  for (const auto& frame : frames) {
    bytes += frame.size() + overhead_bytes;
  }
  return bytes <= options_.buffer_bytes_max;
}

void LineRelay::push(std::vector<std::string> frames, std::uint64_t lines) {
  for (auto& frame : frames) {
    kept_bytes_ += frame.size() + overhead_bytes;
    kept_.push_back(Kept{std::move(frame), 0});
    ++kept_count_;
  }
  kept_.back().lines = lines;
  changed_.notify_one();
}

void LineRelay::drop(
    std::string_view head, std::span<const std::string_view> parts, const char* why) {
  const auto lines = lines_of(parts);
  dropped_total_ += lines;
  tally_.add(lines, size_of(parts));
  tell(tally_.take(std::chrono::steady_clock::now()), why);
  auto found = dropped_.find(head);
  if (found == dropped_.end()) {
    if (dropped_.size() >= drop_notes_max) return;
    found = dropped_.emplace(std::string(head), DropNote{}).first;
  }
  found->second.lines += lines;
  found->second.bytes += size_of(parts);
  if (!thread_.joinable()) (void)start_thread();
  changed_.notify_one();
}

// In the place of the lines: before whatever is kept next.
void LineRelay::queue_notes() {
  for (const auto& [head, note] : std::exchange(dropped_, {})) {
    push(frames_of(head + encode_note(note)), 0);
  }
}

void LineRelay::tell(const std::optional<DropNote>& loss, const char* why) const {
  if (!loss) return;
  options_.report(
      "dropping lines, " + std::to_string(loss->lines) +
      " so far or since this was said last: " + why);
}

// No signal is this thread's: the server expects them elsewhere.
bool LineRelay::start_thread() {
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { flush_kept(); });
  } catch (const std::system_error&) {
  }
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread_.joinable();
}

bool LineRelay::is_late() const {
  return is_closing_ && std::chrono::steady_clock::now() >= deadline_;
}

void LineRelay::flush_kept() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !kept_.empty() || !dropped_.empty() || is_closing_; });
    if (kept_.empty()) queue_notes();
    if (kept_.empty() || is_late()) return;
    const std::string_view frame = kept_.front().frame;  // only this thread takes from the queue
    lock.unlock();
    const auto outcome = try_write(frame);
    if (outcome == Outcome::full) wait_for_room();
    lock.lock();
    if (outcome == Outcome::full) continue;
    if (outcome == Outcome::refused) {
      dropped_total_ += kept_.front().lines;
      if (kept_.front().lines > 0) options_.report("the pipe refused a line; it is dropped");
    }
    kept_bytes_ -= frame.size() + overhead_bytes;
    kept_.pop_front();
    --kept_count_;
  }
}

void LineRelay::wait_for_room() const {
  pollfd room{options_.pipe, POLLOUT, 0};
  (void)::poll(&room, 1, static_cast<int>(look_again.count()));
}

bool LineRelay::close(std::chrono::milliseconds patience) {
  {
    const std::unique_lock lock(mutex_, lock_patience);
    if (!lock.owns_lock()) return false;  // whoever holds it was interrupted to get here
    if (!thread_.joinable()) return true;
    deadline_ = std::chrono::steady_clock::now() + patience;
    is_closing_ = true;
    changed_.notify_one();
  }
  thread_.join();
  tell(tally_.take_rest(), "the publisher took too few");
  std::uint64_t lost = 0;
  for (const auto& kept : kept_) {
    lost += kept.lines;
  }
  if (lost > 0) {
    options_.report(
        std::to_string(lost) + " lines are lost: the publisher took none as this process ended");
  }
  return true;
}

}  // namespace ringcast::ringlog
