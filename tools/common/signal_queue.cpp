// SPDX-License-Identifier: Apache-2.0
//
// signalfd(2).
#include "tools/common/signal_queue.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace ringcast::tools {

SignalQueue::SignalQueue(std::initializer_list<int> signals) {
  sigset_t set{};
  (void)::sigemptyset(&set);
  for (const int number : signals) {
    (void)::sigaddset(&set, number);
  }
  (void)::pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

SignalQueue::~SignalQueue() {
  if (fd_ < 0) return;
  (void)::close(fd_);
  (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalQueue::take() {
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace ringcast::tools
