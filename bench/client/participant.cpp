// SPDX-License-Identifier: Apache-2.0
#include "client/participant.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <poll.h>
#include <sys/resource.h>

#include "client/commands.hpp"

namespace ringcast::bench {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds hello_interval{50};
constexpr std::uint64_t burst_max = 64;    // sends between two looks at what has arrived
constexpr std::uint64_t stamp_every = 16;  // in saturation a clock reading each would be felt

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void wait(const Adapter& adapter, int other, Clock::time_point deadline) {
  const auto interest = adapter.interest();
  const auto left = std::clamp<std::chrono::nanoseconds>(
      deadline - Clock::now(), std::chrono::nanoseconds::zero(), interest.retry);
  const auto events = static_cast<short>(interest.write ? POLLIN | POLLOUT : POLLIN);
  std::array<pollfd, 2> fds{pollfd{interest.fd, events, 0}, pollfd{other, POLLIN, 0}};
  const timespec timeout{left / std::chrono::seconds(1), (left % std::chrono::seconds(1)).count()};
  ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
}

Participant::Participant(const Load& load)
    : load_(load), verifier_(load.senders, load.message_bytes), message_(load.message_bytes) {
  if (load_.rate > 0) {
    interval_ = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(load_.senders / load_.rate));
  }
}

Result<Clock::time_point> Participant::introduce(Adapter& adapter, int commands) {
  CommandReader reader(commands);
  bool ready = false;
  for (auto next_hello = Clock::now();;) {
    if (Clock::now() >= next_hello) {
      if (auto sent = send(adapter, Kind::hello, 0); !sent.ok()) return sent.error();
      if (auto sent = adapter.flush(); !sent.ok()) return sent.error();
      next_hello = Clock::now() + hello_interval;
    }
    auto more = adapter.receive();
    if (!more.ok()) return more.error();
    if (!ready && heard_.size() == load_.participants) {
      ready = true;
      report_ready();
    }
    auto start = reader.read_start();
    if (!start.ok()) return start.error();
    if (start->has_value()) return **start;
    if (!*more) wait(adapter, commands, next_hello);
  }
}

Result<Outcome> Participant::run(Adapter& adapter, Clock::time_point start) {
  started_ = true;
  if (auto waited = exchange(adapter, start, false); !waited.ok()) return waited.error();
  // Senders by the clock take turns instead of all sending at the same moments.
  due_ = start + interval_ * load_.rank / std::max(load_.senders, 1U);
  const auto measured_from = start + load_.warm_up;
  if (auto done = exchange(adapter, measured_from, is_sender()); !done.ok()) return done.error();
  begin_measuring();
  const auto end = measured_from + load_.measured;
  if (auto done = exchange(adapter, end, is_sender()); !done.ok()) return done.error();
  end_measuring();
  if (auto drained = drain(adapter); !drained.ok()) return drained.error();
  outcome_.sent = sent_;
  return outcome_;
}

void Participant::begin_measuring() {
  outcome_.processor_seconds = -processor_seconds();
  measuring_since_ = Clock::now();
  measuring_ = true;
}

void Participant::end_measuring() {
  measuring_ = false;
  outcome_.seconds = std::chrono::duration<double>(Clock::now() - measuring_since_).count();
  outcome_.processor_seconds += processor_seconds();
}

Result<void> Participant::exchange(Adapter& adapter, Clock::time_point end, bool sending) {
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    auto more = adapter.receive();
    if (!more.ok()) return more.error();
    Result<bool> sent = false;
    if (sending) sent = load_.rate > 0 ? send_by_clock(adapter, now) : send_saturating(adapter);
    if (!sent.ok()) return sent.error();
    if (*more || *sent) continue;
    // After a refusal it is the adapter that knows when to try again.
    const bool by_clock = sending && load_.rate > 0 && !wanted_since_;
    wait(adapter, -1, by_clock ? std::min(end, due_) : end);
  }
  return {};
}

Result<bool> Participant::send(Adapter& adapter, Kind kind, std::uint64_t number) {
  Head head;
  head.kind = kind;
  head.sender = load_.rank;
  head.number = number;
  const bool stamped = load_.rate > 0 || number % stamp_every == 0;
  if (kind == Kind::data && stamped) head.sent = wanted_since_.value_or(Clock::now());
  write_head(message_, head);
  auto sent = adapter.try_send(message_);
  if (sent.ok() && !*sent && !wanted_since_) wanted_since_ = head.sent;
  if (sent.ok() && *sent) wanted_since_.reset();
  return sent;
}

Result<bool> Participant::send_saturating(Adapter& adapter) {
  std::uint64_t burst{0};
  while (burst < burst_max && sent_ - std::min(returned_, sent_) < load_.window) {
    auto sent = send(adapter, Kind::data, sent_);
    if (!sent.ok()) return sent;
    if (!*sent) break;
    ++sent_;
    ++burst;
  }
  if (auto flushed = adapter.flush(); !flushed.ok()) return flushed.error();
  return burst > 0;
}

Result<bool> Participant::send_by_clock(Adapter& adapter, Clock::time_point now) {
  bool any = false;
  while (due_ <= now) {
    auto sent = send(adapter, Kind::data, sent_);
    if (!sent.ok()) return sent;
    if (!*sent) break;
    any = true;
    ++sent_;
    due_ += interval_;
  }
  if (auto flushed = adapter.flush(); !flushed.ok()) return flushed.error();
  return any;
}

Result<void> Participant::drain(Adapter& adapter) {
  const auto end = Clock::now() + load_.patience;
  bool announced = !is_sender();
  wanted_since_.reset();
  while (Clock::now() < end) {
    auto more = adapter.receive();
    if (!more.ok()) return more.error();
    if (announced && verifier_.is_complete()) break;
    if (!announced) {
      auto sent = send(adapter, Kind::last, sent_);
      if (!sent.ok()) return sent.error();
      announced = *sent;
    }
    if (auto flushed = adapter.flush(); !flushed.ok()) return flushed;
    if (!*more) wait(adapter, -1, end);
  }
  return {};
}

void Participant::on_message(std::span<const std::byte> message) {
  const auto head = read_head(message);
  if (!head) {
    verifier_.take_garbage();
  } else if (head->kind == Kind::hello) {
    heard_.insert(head->sender);
  } else {
    if (head->kind == Kind::data) count(*head);
    verifier_.take(*head, message.size());
  }
}

void Participant::count(const Head& head) {
  const bool own = head.sender == load_.rank;
  if (own) ++returned_;
  if (!measuring_) return;
  ++outcome_.delivered;
  if (!head.sent) return;
  const auto latency = Clock::now() - *head.sent;
  if (own) outcome_.own_latencies.add(latency);
  if (!own || load_.participants == 1) outcome_.latencies.add(latency);
}

void Participant::on_members(std::size_t /*count*/) {
  if (started_) ++outcome_.membership_changes;
}

}  // namespace ringcast::bench
