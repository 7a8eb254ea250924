// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <algorithm>
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
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    storage_at_the_end_.push_back(storage());
  }
}

void FaultInjector::start() {
  begin_ = cluster_.now();
  if (options_.schedule) {
    perform_schedule();
    return;
  }
  for (const std::string& operation : link_operations("*->*", options_.links)) {
    perform(operation);
  }
  for (const std::string& operation : options_.at_start) {
    perform(operation);
  }
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
    if (!cluster_.is_up(host)) cluster_.start(host, storage_at_the_end_[host]);
  }
}

void FaultInjector::perform(const std::string& what) {
  injections_.push_back({.at = cluster_.now() - begin_, .what = what});
  sim::perform(cluster_, what);
}

void FaultInjector::perform_schedule() {
  for (const Injection& injection : *options_.schedule) {
    if (injection.at <= Duration{0}) {
      perform(injection.what);
    } else {
      later(injection.at, [this, what = injection.what] { perform(what); });
    }
  }
}

void FaultInjector::later(Duration delay, std::function<void()> action) {
  // Never in the instant that decided it: done again, it could not come at the same moment of it.
  cluster_.before_all_at(
      cluster_.now() + std::max(delay, Duration{1}), [this, action = std::move(action)] {
        if (!stopped_) action();
      });
}

void FaultInjector::schedule() {
  later(random_.around(options_.mean_interval), [this] {
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
  std::string sides = "split";
  for (std::size_t number = 0; number < hosts; ++number) {
    if (number > 0) sides += " |";
    for (std::size_t host = 0; host < hosts; ++host) {
      if (side[host] == number) sides += " " + cluster_.name(host);
    }
  }
  perform(sides);
  if (random_.chance(0.3)) return;  // until the next one
  later(some_time(), [this] { perform("open *->*"); });
}

std::string FaultInjector::link_name(std::size_t from, std::size_t to) const {
  return cluster_.name(from) + "->" + cluster_.name(to);
}

void FaultInjector::one_way() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  if (from == to) return;
  perform("block " + link_name(from, to));
  later(some_time(), [this, from, to] { perform("open " + link_name(from, to)); });
}

void FaultInjector::flap() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  if (from != to) toggle(from, to, static_cast<unsigned>(random_.between(2, 8)));
}

void FaultInjector::toggle(std::size_t from, std::size_t to, unsigned times) {
  const std::string change = times > 0 && times % 2 == 0 ? "block " : "open ";
  perform(change + link_name(from, to));
  if (times == 0 || random_.chance(0.5)) perform(change + link_name(to, from));
  if (times == 0) return;
  const Duration period = random_.between(options_.token_loss / 2, options_.token_loss * 2);
  later(period, [this, from, to, times] { toggle(from, to, times - 1); });
}

void FaultInjector::black_hole() {
  const std::size_t from = random_.below(cluster_.hosts());
  const std::size_t to = random_.below(cluster_.hosts());
  const std::string limit = "limit " + link_name(from, to) + " ";
  perform(limit + std::to_string(random_.between(200, 1450)));
  later(some_time(), [this, limit] { perform(limit + "65535"); });
}

void FaultInjector::crash() {
  const std::size_t host = random_.below(cluster_.hosts());
  if (!cluster_.is_up(host)) return;
  switch (random_.below(4)) {
    case 0:
      perform("fuse " + cluster_.name(host) + " send " + std::to_string(random_.below(12)));
      restart_after(host, milliseconds{5} + some_time());
      return;
    case 1:
      doomed_.insert(host);
      return;
    default:
      perform("crash " + cluster_.name(host));
      restart_after(host, some_time());
      return;
  }
}

void FaultInjector::on_trace(std::size_t host, const TraceEvent& event) {
  if (event.kind != TraceKind::state_entered || stopped_ || timed_.empty()) return;
  const Duration soon = random_.between(Duration{0}, Duration{microseconds{800}});
  if (random_.chance(options_.aimed_share)) later(soon, [this] { inject(); });
  if (!doomed_.contains(host) || !random_.chance(0.4)) return;
  doomed_.erase(host);
  later(soon, [this, host] {
    perform("crash " + cluster_.name(host));
    restart_after(host, some_time());
  });
}

void FaultInjector::restart_after(std::size_t host, Duration delay) {
  later(delay, [this, host] {
    if (cluster_.is_up(host)) return;
    perform("start " + cluster_.name(host) + " " + std::string(to_string(storage())));
  });
}

void FaultInjector::leave() {
  const std::size_t host = random_.below(cluster_.hosts());
  if (!cluster_.is_up(host)) return;
  perform("leave " + cluster_.name(host));
  restart_after(host, milliseconds{200} + some_time());
  restart_after(host, milliseconds{3000});
}

void FaultInjector::pause() {
  const std::size_t host = random_.below(cluster_.hosts());
  perform("pause " + cluster_.name(host));
  later(some_time() * 2, [this, host] { perform("resume " + cluster_.name(host)); });
}

}  // namespace ringcast::sim
