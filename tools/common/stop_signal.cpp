// SPDX-License-Identifier: Apache-2.0
//
// A pipe to itself: the handler writes a byte that nobody reads.
#include "tools/common/stop_signal.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace ringcast::tools {
namespace {

// A signal handler has no argument of ours, so what it touches cannot live in an object.
volatile sig_atomic_t stop_requested = 0;
std::array<int, 2> stop_pipe = {-1, -1};
constexpr std::array stop_signals = {SIGINT, SIGTERM, SIGHUP};

// nohup and daemons' starters ask for it, and mean it.
bool is_ignored_hangup(int number) {
  struct sigaction now {};
  return number == SIGHUP && sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

void on_stop(int /*signal*/) {
  const int saved = errno;
  stop_requested = 1;
  const char byte = 0;
  (void)!write(stop_pipe[1], &byte, 1);
  errno = saved;
}

}  // namespace

StopSignal::StopSignal() {
  stop_requested = 0;
  if (pipe2(stop_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;  // signals kill, as usual
  struct sigaction action {};
  action.sa_handler = on_stop;
  // No SA_RESTART: a write that blocks on a full pipe must notice.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : stop_signals) {
    if (!is_ignored_hangup(number)) (void)sigaction(number, &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (const int number : stop_signals) {
    if (!is_ignored_hangup(number)) (void)signal(number, SIG_DFL);
  }
  for (int& fd : stop_pipe) {
    if (fd >= 0) (void)close(fd);
    fd = -1;
  }
  stop_requested = 0;
}

int StopSignal::fd() const { return stop_pipe[0]; }

bool StopSignal::requested() { return stop_requested != 0; }

}  // namespace ringcast::tools
