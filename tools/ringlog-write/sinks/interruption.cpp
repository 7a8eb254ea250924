// SPDX-License-Identifier: Apache-2.0
//
// An eventfd beside the descriptor that is waited for.
#include "tools/ringlog-write/sinks/interruption.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ringcast::ringlog {

Interruption::Interruption() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Interruption::raise() {
  is_raised_ = true;
  const std::uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof(one));
}

Interruption::Woken Interruption::wait(
    int fd, short events, std::optional<Clock::time_point> deadline, int readable) const {
  for (;;) {
    int patience = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
      patience = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    std::array<pollfd, 3> fds{
        pollfd{event_.get(), POLLIN, 0}, pollfd{fd, events, 0}, pollfd{readable, POLLIN, 0}};
    const int count = ::poll(fds.data(), fds.size(), patience);
    if (is_raised_) return Woken::interrupted;
    if (count > 0) return Woken::ready;
    if (count == 0 && deadline && Clock::now() >= *deadline) return Woken::deadline;
    if (count < 0 && errno != EINTR) return Woken::ready;  // the next call on it says what is wrong
  }
}

}  // namespace ringcast::ringlog
