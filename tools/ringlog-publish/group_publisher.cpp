// SPDX-License-Identifier: Apache-2.0
//
// A ringlog-publish for one group.
#include "tools/ringlog-publish/group_publisher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t batch_bytes = std::size_t{60} << 10U;
constexpr int socket_bytes = 4 << 20;
constexpr std::chrono::seconds restart_pause{1};

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

void enlarge(int socket) {
  const int bytes = socket_bytes;
  if (::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0) return;
  (void)::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

}  // namespace

void GroupPublisher::add(std::string_view lines, Instant now) {
  last_used_ = now;
  if (waiting_bytes_ + lines.size() > options_.waiting_bytes_max) {
    drop(count_lines(lines), lines.size());
    tally_.add(count_lines(lines), lines.size());
    tell(tally_.take(now));
    return;
  }
  queue_dropped();
  if (batch_.size() + lines.size() > batch_bytes) close_batch();
  batch_ += lines;
  waiting_bytes_ += lines.size();
}

void GroupPublisher::drop(std::uint64_t lines, std::uint64_t bytes) {
  dropped_.lines += lines;
  dropped_.bytes += bytes;
  dropped_total_ += lines;
}

void GroupPublisher::tell(const std::optional<DropNote>& loss) {
  if (!loss) return;
  notes_.push_back(
      options_.group + ": its publisher takes no lines: dropping lines: " +
      std::to_string(loss->lines) + " so far or since this was said last");
}

void GroupPublisher::add_note(const DropNote& note, Instant now) {
  last_used_ = now;
  dropped_.lines += note.lines;
  dropped_.bytes += note.bytes;
  if (waiting_bytes_ < options_.waiting_bytes_max) queue_dropped();
}

void GroupPublisher::queue(std::string packet) {
  waiting_bytes_ += packet.size();
  packets_.push_back(std::move(packet));
}

void GroupPublisher::close_batch() {
  if (!batch_.empty()) packets_.push_back(std::exchange(batch_, {}));
}

void GroupPublisher::queue_dropped() {
  if (dropped_.lines == 0) return;
  close_batch();
  queue(encode_note(std::exchange(dropped_, DropNote{})));
}

std::uint64_t GroupPublisher::waiting() const {
  std::uint64_t lines = count_lines(batch_) + dropped_.lines;
  for (const auto& packet : packets_) {
    lines += count_lines(packet);
  }
  return lines;
}

std::optional<GroupPublisher::Instant> GroupPublisher::wake_up() const {
  if (pid_ >= 0 || is_over()) return std::nullopt;
  return next_start_;
}

void GroupPublisher::pump(Instant now) {
  tell(is_finishing_ ? tally_.take_rest() : tally_.take(now));
  reap(now);
  if (is_over()) return;
  if (pid_ < 0 && now >= next_start_) start(now);
  if (pid_ >= 0 && !is_closed_) {
    close_batch();
    send();
  }
  if (waiting_bytes_ <= options_.waiting_bytes_max / 2) {
    crowded_since_.reset();
  } else if (!crowded_since_) {
    crowded_since_ = now;
  }
  if (pid_ < 0 || is_closed_) return;
  if (packets_.empty()) queue_dropped();
  if (!is_finishing_ || !packets_.empty()) return;
  socket_.close();
  input_.close();
  is_closed_ = true;
}

bool GroupPublisher::open_socket() {
  if (socket_.is_open()) return true;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    notes_.push_back(system_error(options_.group, "cannot open a socket", errno).message);
    return false;
  }
  socket_ = Descriptor(ends[0]);
  input_ = Descriptor(ends[1]);
  enlarge(socket_.get());
  return true;
}

void GroupPublisher::start(Instant now) {
  next_start_ = now + restart_pause;
  if (!open_socket() || !spawn(input_.get())) return;
  // Not pidfd_open(): in glibc 2.36 its header does not know C++.
  process_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

bool GroupPublisher::spawn(int input) {
  std::vector<std::string> words = {"ringlog-publish", "--group", options_.group};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  (void)::posix_spawn_file_actions_init(&files);
  (void)::posix_spawnattr_init(&attributes);
  (void)::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  sigset_t signals;
  (void)::sigfillset(&signals);
  (void)::posix_spawnattr_setsigdefault(&attributes, &signals);
  (void)::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error =
      ::posix_spawn(&pid_, options_.program.c_str(), &files, &attributes, argv.data(), ::environ);
  (void)::posix_spawnattr_destroy(&attributes);
  (void)::posix_spawn_file_actions_destroy(&files);
  if (error == 0) return true;
  pid_ = -1;
  notes_.push_back(system_error(options_.program, "cannot be started", error).message);
  return false;
}

void GroupPublisher::send() {
  is_full_ = false;
  while (!packets_.empty()) {
    const auto& packet = packets_.front();
    const auto sent =
        ::send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EMSGSIZE) {
      drop(count_lines(packet), packet.size());
      notes_.push_back(
          options_.group + ": " + std::to_string(packet.size()) +
          " bytes are more than a socket takes and were dropped; raise net.core.wmem_max");
    } else if (sent < 0) {
      is_full_ = true;
      return;
    }
    waiting_bytes_ -= packet.size();
    packets_.pop_front();
  }
}

void GroupPublisher::reap(Instant now) {
  if (pid_ < 0) return;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  pid_ = -1;
  process_.close();
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  if (is_closed_) return;
  notes_.push_back(
      options_.group + ": its publisher ended with " +
      (WIFEXITED(status) ? "exit code " : "signal ") +
      std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)) +
      "; starting another");
  next_start_ = std::max(next_start_, now);
}

void GroupPublisher::kill() {
  if (pid_ < 0) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  process_.close();
}

std::vector<std::string> GroupPublisher::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
