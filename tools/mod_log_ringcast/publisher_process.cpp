// SPDX-License-Identifier: Apache-2.0
//
// A child process with a pipe for stdin.
#include "tools/mod_log_ringcast/publisher_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringcast::ringlog {

namespace {

constexpr int pipe_bytes_max = 4 << 20;
constexpr int pipe_bytes_min = 128 << 10;  // it has 64 KiB anyway
constexpr long long soon_ms = 1000;
constexpr int pause_ms = 1000;
constexpr int predecessors_ms = 2000;
constexpr int exec_failed = 127;

long long now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Until the process has ended, its zombie included. At once when there is none.
bool wait_for(pid_t pid, int milliseconds) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno == ESRCH;
  pollfd ended{fd, POLLIN, 0};
  const int got = ::poll(&ended, 1, milliseconds);
  (void)::close(fd);
  return got > 0;
}

void set_default_signals() {
  for (int number = 1; number < NSIG; ++number) {
    (void)::signal(number, SIG_DFL);
  }
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void complain(std::string_view program) {
  const std::string text = "mod_log_ringcast: cannot start " + std::string(program) + ": " +
                           std::strerror(errno) + "; see RingcastPublisher\n";
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

// In the new process.
[[noreturn]] void become(const PublisherProcess& process, char** argv, bool after_a_pause) {
  (void)::setpgid(0, 0);
  set_default_signals();
  (void)::dup2(process.read_end, STDIN_FILENO);
  (void)::dup2(STDERR_FILENO, STDOUT_FILENO);
  (void)::close_range(STDERR_FILENO + 1, ~0U, 0);  // or it would hold the other end
  if (after_a_pause) (void)::poll(nullptr, 0, pause_ms);
  const auto deadline = now_ms() + predecessors_ms;
  for (const auto pid : process.retired) {
    if (pid > 0) (void)wait_for(pid, static_cast<int>(std::max(deadline - now_ms(), 0LL)));
  }
  (void)::execv(argv[0], argv);
  complain(argv[0]);
  ::_exit(exec_failed);
}

// Without privilege a pipe has 1 MiB at most, unless the administrator allows more or less.
void enlarge(int pipe) {
  for (int bytes = pipe_bytes_max; bytes >= pipe_bytes_min; bytes /= 2) {
    if (::fcntl(pipe, F_SETPIPE_SZ, bytes) >= 0) return;
  }
}

void close(int& end) {
  if (end >= 0) (void)::close(end);
  end = -1;
}

}  // namespace

int open_pipe(PublisherProcess& process) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  process.owner = ::getpid();
  process.read_end = ends[0];
  process.write_end = ends[1];
  enlarge(process.write_end);
  return 0;
}

int start(PublisherProcess& process, const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const auto& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));  // execv() only reads it
  }
  argv.push_back(nullptr);
  const auto now = now_ms();
  const bool is_soon = process.started_ms != 0 && now - process.started_ms < soon_ms;
  // A signal to the new process must not meet the server's handler there.
  sigset_t all;
  sigset_t before;
  (void)::sigfillset(&all);
  (void)::sigprocmask(SIG_SETMASK, &all, &before);
  const auto pid = ::fork();
  const int error = errno;
  if (pid == 0) become(process, argv.data(), is_soon);
  (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return error;
  (void)::setpgid(pid, pid);  // whoever is first
  process.pid = pid;
  process.started_ms = is_soon ? now + pause_ms : now;
  return 0;
}

void retire(PublisherProcess& process, bool by_signal) {
  if (process.pid < 0) return;
  if (by_signal) (void)::kill(process.pid, SIGTERM);
  // When there are that many, the oldest is not waited for.
  std::rotate(process.retired.begin(), process.retired.begin() + 1, process.retired.end());
  process.retired.back() = process.pid;
  process.pid = -1;
  process.started_ms = 0;
}

void forget(PublisherProcess& process, pid_t pid) {
  std::replace(process.retired.begin(), process.retired.end(), pid, pid_t{0});
}

void end_pipe(PublisherProcess& process) { close(process.write_end); }

bool has_unread(const PublisherProcess& process) {
  int bytes = 0;
  return ::ioctl(process.read_end, FIONREAD, &bytes) == 0 && bytes > 0;
}

void close_pipe(PublisherProcess& process) {
  close(process.write_end);
  close(process.read_end);
}

bool wait_for_end(PublisherProcess& process, std::chrono::milliseconds patience) {
  if (process.pid < 0) return true;
  if (!wait_for(process.pid, static_cast<int>(patience.count()))) return false;
  (void)::waitpid(process.pid, nullptr, WNOHANG);
  process.pid = -1;
  return true;
}

}  // namespace ringcast::ringlog
