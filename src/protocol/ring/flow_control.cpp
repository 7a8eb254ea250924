// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/flow_control.hpp"

#include <algorithm>

namespace ringcast {
namespace {

constexpr std::uint64_t window_floor = 16384;
// More in one rotation only makes it longer; this much amortizes everything there is to amortize.
constexpr std::uint64_t window_ceiling = std::uint64_t{4} << 20U;

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

void FlowControl::reset(std::uint64_t window) {
  ceiling_ = std::clamp(window, window_floor, window_ceiling);
  window_ = ceiling_;
  last_sent_ = 0;
  last_backlog_ = 0;
}

std::uint64_t FlowControl::allowance(const Visit& visit) {
  // A few requests are the noise of a lossy link and no reason to slow down; many at once
  // mean that a receiver's buffer overflowed.
  const std::uint64_t many = std::max<std::uint64_t>(16, window_ / 65536);
  if (visit.requested > many || visit.is_slow) {
    window_ = std::max(window_ - window_ / 4, std::min(window_floor, ceiling_));
  } else if (visit.requested == 0) {
    window_ = std::min(window_ + std::max<std::uint64_t>(window_ / 32, 1024), ceiling_);
  }
  const std::uint64_t others_sent = minus(visit.fcc, last_sent_);
  const std::uint64_t others_wait = minus(visit.backlog, last_backlog_);
  const std::uint64_t free = minus(window_, others_sent);
  const std::uint64_t waiting = std::max<std::uint64_t>(visit.own_backlog + others_wait, 1);
  const double part = static_cast<double>(visit.own_backlog) / static_cast<double>(waiting);
  const auto share = static_cast<std::uint64_t>(static_cast<double>(window_) * part);
  // Never less than one datagram's worth: a node with little to say among busy ones must not
  // starve.
  return std::max(std::min(free, share), std::min<std::uint64_t>(window_floor / 4, window_));
}

std::uint64_t FlowControl::account(std::uint64_t fcc, std::uint64_t sent) {
  const std::uint64_t total = minus(fcc, last_sent_) + sent;
  last_sent_ = sent;
  return total;
}

std::uint64_t FlowControl::account_backlog(std::uint64_t backlog, std::uint64_t own_backlog) {
  const std::uint64_t total = minus(backlog, last_backlog_) + own_backlog;
  last_backlog_ = own_backlog;
  return total;
}

}  // namespace ringcast
