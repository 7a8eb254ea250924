// SPDX-License-Identifier: Apache-2.0
//
// Send, else keep, else drop.
#include "tools/mod_log_ringcast/line_relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t overhead_bytes = 96;  // of a kept packet: string, place in the queue
constexpr std::size_t drop_notes_max = 64;  // further groups are counted, without a note
constexpr std::size_t parts_max = 64;       // beyond, they are joined first
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

iovec as_iovec(std::string_view text) {
  return iovec{const_cast<char*>(text.data()), text.size()};  // sendmsg() only reads it
}

bool is_full(int error) { return error == EAGAIN || error == ENOBUFS || error == ENOMEM; }

}  // namespace

LineRelay::~LineRelay() {
  if (thread_.joinable()) (void)close(std::chrono::milliseconds(0));
}

void LineRelay::send(std::string_view head, std::span<const std::string_view> parts) {
  if (size_of(parts) > packet_text_bytes_max) {
    const std::lock_guard lock(mutex_);
    drop(head, parts, "it is longer than 256 KiB");
    return;
  }
  if (kept_count_ == 0) {
    const auto outcome = try_send(head, parts);
    if (outcome == Outcome::sent) return;
    if (outcome == Outcome::refused) {
      const std::lock_guard lock(mutex_);
      drop(head, parts, "the socket refused it");
      return;
    }
  }
  const std::lock_guard lock(mutex_);
  keep(head, parts);
}

LineRelay::Outcome LineRelay::try_send(
    std::string_view head, std::span<const std::string_view> parts) const {
  if (parts.size() >= parts_max) return try_send(joined(head, parts));
  std::array<iovec, parts_max> pieces{};
  pieces[0] = as_iovec(head);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pieces.at(i + 1) = as_iovec(parts[i]);
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = parts.size() + 1;
  for (;;) {
    if (::sendmsg(options_.socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      return Outcome::sent;
    }
    if (errno != EINTR) return is_full(errno) ? Outcome::full : Outcome::refused;
  }
}

LineRelay::Outcome LineRelay::try_send(std::string_view packet) const {
  for (;;) {
    const auto sent =
        ::send(options_.socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return Outcome::sent;
    if (errno != EINTR) return is_full(errno) ? Outcome::full : Outcome::refused;
  }
}

void LineRelay::keep(std::string_view head, std::span<const std::string_view> parts) {
  const auto bytes = head.size() + size_of(parts) + overhead_bytes;
  if (kept_bytes_ + bytes > options_.buffer_bytes_max) {
    drop(head, parts, "the publisher takes no lines and RingcastBuffer is full");
    return;
  }
  if (!thread_.joinable() && !start_thread()) {
    drop(head, parts, "no thread could be started");
    return;
  }
  queue_notes();
  push(joined(head, parts), lines_of(parts));
}

void LineRelay::push(std::string packet, std::uint64_t lines) {
  kept_bytes_ += packet.size() + overhead_bytes;
  kept_.push_back(Kept{std::move(packet), lines});
  ++kept_count_;
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
    push(head + encode_note(note), 0);
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
    const std::string_view packet = kept_.front().packet;  // only this thread takes from the queue
    lock.unlock();
    const auto outcome = try_send(packet);
    if (outcome == Outcome::full) wait_for_room();
    lock.lock();
    if (outcome == Outcome::full) continue;
    if (outcome == Outcome::refused) {
      dropped_total_ += kept_.front().lines;
      if (kept_.front().lines > 0) options_.report("the socket refused a line; it is dropped");
    }
    kept_bytes_ -= packet.size() + overhead_bytes;
    kept_.pop_front();
    --kept_count_;
  }
}

void LineRelay::wait_for_room() const {
  pollfd room{options_.socket, POLLOUT, 0};
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
