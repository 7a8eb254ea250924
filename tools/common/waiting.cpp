// SPDX-License-Identifier: Apache-2.0
//
// Deadlines become poll's milliseconds, rounded up so that a deadline is never met early.
#include "tools/common/waiting.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <poll.h>

namespace ringcast::tools {
namespace {

int timeout_ms(const Client& client, const std::optional<Client::Deadline>& deadline) {
  if (client.has_event()) return 0;
  auto until = deadline;
  if (const auto attempt = client.next_attempt(); attempt && (!until || *attempt < *until)) {
    until = attempt;
  }
  if (!until) return -1;
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*until - Client::Clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(rest.count(), 0, INT_MAX));
}

}  // namespace

Woken wait(const Client& client, const WaitFor& what) {
  const int wanted = client.wants_write() ? POLLIN | POLLOUT : POLLIN;
  std::array<pollfd, 4> fds = {
      pollfd{client.fd(), static_cast<short>(wanted), 0},
      pollfd{what.input_fd, POLLIN, 0},
      pollfd{what.output_fd, 0, 0},
      pollfd{what.stop_fd, POLLIN, 0}};
  const int count = poll(fds.data(), fds.size(), timeout_ms(client, what.deadline));
  Woken woken;
  if (count > 0) {
    woken.input = fds[1].revents != 0;
    woken.output_gone = (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    woken.stop = fds[3].revents != 0;
  }
  woken.deadline = what.deadline && Client::Clock::now() >= *what.deadline;
  return woken;
}

}  // namespace ringcast::tools
