// SPDX-License-Identifier: Apache-2.0
#include "client/watcher.hpp"

#include <cstdio>
#include <poll.h>
#include <unistd.h>

#include "client/message.hpp"
#include "client/participant.hpp"

namespace ringcast::bench {
namespace {

bool has_ended(int commands) {
  pollfd ready{commands, POLLIN, 0};
  char byte{0};
  return ::poll(&ready, 1, 0) > 0 && ::read(commands, &byte, 1) <= 0;
}

}  // namespace

void Watcher::on_members(std::size_t count) {
  const std::chrono::duration<double> now = Clock::now().time_since_epoch();
  std::printf("{\"event\":\"members\",\"count\":%zu,\"at\":%.9f}\n", count, now.count());
  std::fflush(stdout);
}

Result<void> Watcher::watch(Adapter& adapter, int commands) {
  while (!has_ended(commands)) {
    const auto more = adapter.receive();
    if (!more.ok()) return more.error();
    if (!*more) wait(adapter, commands, Clock::now() + std::chrono::seconds(1));
  }
  return {};
}

void Watcher::be_deaf(int commands) {
  std::puts(R"({"event":"deaf"})");
  std::fflush(stdout);
  char byte{0};
  while (::read(commands, &byte, 1) > 0) {
  }
}

}  // namespace ringcast::bench
