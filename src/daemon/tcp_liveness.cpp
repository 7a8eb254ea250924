// SPDX-License-Identifier: Apache-2.0
#include "daemon/tcp_liveness.hpp"

#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace ringcast {
namespace {

constexpr int idle_seconds = 5;
constexpr int interval_seconds = 2;
constexpr int probes_max = 3;
constexpr std::uint32_t silence_ms_max = 10'000;
// One probe without an answer may be a moment old.
constexpr unsigned unanswered_min = 3;

bool set(int descriptor, int level, int option, int value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

}  // namespace

bool keep_alive(int descriptor) {
  return set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds) &&
         set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, interval_seconds) &&
         set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, probes_max) &&
         set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
}

bool is_lost(int descriptor) {
  tcp_info info{};
  socklen_t bytes = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0) return false;
  const unsigned unanswered = unsigned{info.tcpi_retransmits} + info.tcpi_probes;
  return unanswered >= unanswered_min && info.tcpi_last_ack_recv > silence_ms_max;
}

}  // namespace ringcast
