// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <utility>

namespace ringcast::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::loss:
      return "loss";
    case Fault::burst:
      return "burst";
    case Fault::duplication:
      return "duplication";
    case Fault::reorder:
      return "reorder";
    case Fault::delay:
      return "delay";
    case Fault::corruption:
      return "corruption";
    case Fault::partition:
      return "partition";
    case Fault::one_way:
      return "one_way";
    case Fault::flap:
      return "flap";
    case Fault::black_hole:
      return "black_hole";
    case Fault::crash:
      return "crash";
    case Fault::storage_loss:
      return "storage_loss";
    case Fault::leave:
      return "leave";
    case Fault::pause:
      return "pause";
    case Fault::overflow:
      return "overflow";
    case Fault::slow_client:
      return "slow_client";
    case Fault::client_churn:
      return "client_churn";
  }
  return "?";
}

FaultInjector::FaultInjector(
    Cluster& cluster, Recorder& recorder, FaultOptions options, Random random)
    : cluster_(cluster), recorder_(recorder), options_(std::move(options)), random_(random) {
  for (const Fault fault :
       {Fault::partition,
        Fault::one_way,
        Fault::flap,
        Fault::black_hole,
        Fault::crash,
        Fault::leave,
        Fault::pause}) {
    if (options_.on.contains(fault)) timed_.push_back(fault);
  }
}

void FaultInjector::start() {
  cluster_.network().set_all(options_.links);
  recorder_.set_trace_listener(
      {}, [this](std::size_t host, const TraceEvent& event) { on_trace(host, event); });
  if (!timed_.empty()) schedule();
}

void FaultInjector::stop() {
  stopped_ = true;
  doomed_.clear();
  cluster_.network().heal();
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    if (cluster_.is_paused(host)) cluster_.resume(host);
    if (!cluster_.is_up(host)) cluster_.start(host, storage());
  }
}

void FaultInjector::schedule() {
  cluster_.after(random_.around(options_.mean_interval), [this] {
    if (stopped_) return;
    inject();
    schedule();
  });
}

void FaultInjector::inject() {
  const Fault fault = random_.pick(timed_);
  switch (fault) {
    case Fault::partition:
      return partition();
    case Fault::one_way:
      return one_way();
    case Fault::flap:
      return flap();
    case Fault::black_hole:
      return black_hole();
    case Fault::crash:
      return crash();
    case Fault::leave:
      return leave();
    case Fault::pause:
      return pause();
    case Fault::loss:
    case Fault::burst:
    case Fault::duplication:
    case Fault::reorder:
    case Fault::delay:
    case Fault::corruption:
    case Fault::storage_loss:
    case Fault::overflow:
    case Fault::slow_client:
    case Fault::client_churn:
      return;  // not timed: they last as long as the faults do
  }
}

/// From much shorter than any timeout to a few of them.
Duration FaultInjector::some_time() {
  const double exponent = random_.unit() * 9.0;  // 2^0 .. 2^9 times token_loss / 128
  return Duration{static_cast<Duration::rep>(
      static_cast<double>(options_.token_loss.count()) / 128.0 * std::exp2(exponent))};
}

Storage FaultInjector::storage() {
  if (!options_.on.contains(Fault::storage_loss)) return Storage::kept;
  const std::uint64_t draw = random_.below(4);
  if (draw == 0) return Storage::lost;
  return draw == 1 ? Storage::torn : Storage::kept;
}

void FaultInjector::partition() {
  const std::size_t hosts = cluster_.hosts();
  std::vector<std::size_t> side(hosts, 0);
  switch (random_.below(3)) {
    case 0:  // isolate one
      side[random_.below(hosts)] = 1;
      break;
    case 1:  // two sides
      for (std::size_t& s : side) {
        s = random_.below(2);
      }
      break;
    default:  // anything
      for (std::size_t& s : side) {
        s = random_.below(hosts);
      }
      break;
  }
  cluster_.network().partition(side);
  if (random_.chance(0.3)) return;  // until the next one
  cluster_.after(some_time(), [this] {
    if (!stopped_) cluster_.network().unblock_all();
  });
}

void FaultInjector::one_way() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  if (from == to) return;
  cluster_.network().link(from, to).blocked = true;
  cluster_.after(
      some_time(), [this, from, to] { cluster_.network().link(from, to).blocked = false; });
}

void FaultInjector::flap() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  if (from != to) toggle(from, to, static_cast<unsigned>(random_.between(2, 8)));
}

void FaultInjector::toggle(std::size_t from, std::size_t to, unsigned times) {
  if (stopped_) return;
  const bool blocked = times > 0 && times % 2 == 0;
  cluster_.network().link(from, to).blocked = blocked;
  if (random_.chance(0.5)) cluster_.network().link(to, from).blocked = blocked;
  if (times == 0) {
    cluster_.network().link(to, from).blocked = false;
    return;
  }
  const Duration period = random_.between(options_.token_loss / 2, options_.token_loss * 2);
  cluster_.after(period, [this, from, to, times] { toggle(from, to, times - 1); });
}

void FaultInjector::black_hole() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  cluster_.network().link(from, to).packet_bytes_max = random_.between(200, 1450);
  cluster_.after(some_time(), [this, from, to] {
    cluster_.network().link(from, to).packet_bytes_max = 65535;
  });
}

void FaultInjector::crash() {
  const std::size_t host = random_.below(cluster_.hosts());
  if (!cluster_.is_up(host)) return;
  switch (random_.below(4)) {
    case 0:
      cluster_.crash_in_output(host, random_.below(12));
      restart_after(host, milliseconds{5} + some_time());
      return;
    case 1:
      doomed_.insert(host);
      return;
    default:
      cluster_.crash(host);
      restart_after(host, some_time());
      return;
  }
}

void FaultInjector::on_trace(std::size_t host, const TraceEvent& event) {
  if (event.kind != TraceKind::state_entered || stopped_ || timed_.empty()) return;
  const Duration soon = random_.between(Duration{0}, Duration{microseconds{800}});
  if (random_.chance(options_.aimed_share)) {
    cluster_.after(soon, [this] {
      if (!stopped_) inject();
    });
  }
  if (!doomed_.contains(host) || !random_.chance(0.4)) return;
  doomed_.erase(host);
  cluster_.after(soon, [this, host] {
    if (stopped_) return;
    cluster_.crash(host);
    restart_after(host, some_time());
  });
}

void FaultInjector::restart_after(std::size_t host, Duration delay) {
  cluster_.after(delay, [this, host] {
    if (!stopped_ && !cluster_.is_up(host)) cluster_.start(host, storage());
  });
}

void FaultInjector::leave() {
  const std::size_t host = random_.below(cluster_.hosts());
  if (!cluster_.is_up(host)) return;
  cluster_.leave(host);
  restart_after(host, milliseconds{200} + some_time());
  restart_after(host, milliseconds{3000});
}

void FaultInjector::pause() {
  const std::size_t host = random_.below(cluster_.hosts());
  cluster_.pause(host);
  cluster_.after(some_time() * 2, [this, host] { cluster_.resume(host); });
}

}  // namespace ringcast::sim
