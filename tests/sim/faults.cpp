// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ringcast::sim {

using std::chrono::microseconds;

namespace {

/// Those that happen now and then while the faults last; the others are there all the time, in
/// the links, the configuration or the workload.
constexpr Fault timed_faults[] = {Fault::selective,   Fault::delay_step,    Fault::partition,
                                  Fault::one_way,     Fault::nontransitive, Fault::flap,
                                  Fault::bandwidth,   Fault::black_hole,    Fault::strangers,
                                  Fault::replay,      Fault::pause,         Fault::crash,
                                  Fault::clock,       Fault::slow_node,     Fault::overflow,
                                  Fault::send_errors, Fault::disk,          Fault::leave,
                                  Fault::rolling,     Fault::reload,        Fault::recovery};

constexpr std::size_t remembered_packets = 400;

}  // namespace

FaultInjector::FaultInjector(
    Cluster& cluster, Recorder& recorder, FaultOptions options, Random random)
    : cluster_(cluster),
      recorder_(recorder),
      options_(std::move(options)),
      random_(random),
      evidence_(cluster) {
  for (const Fault fault : timed_faults) {
    if (options_.on.contains(fault)) timed_.push_back(fault);
  }
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    storage_at_the_end_.push_back(storage());
  }
}

void FaultInjector::start() {
  begin_ = cluster_.now();
  if (options_.on.contains(Fault::strangers) || options_.on.contains(Fault::replay)) {
    cluster_.network().remember(remembered_packets);
  }
  const auto is_wanted = [this](TraceKind kind, TraceLevel) {
    switch (kind) {
      case TraceKind::token_received:
        return evidence_.wants_tokens() || aims_.waits_for(Moment::token_received) ||
               aims_.waits_for(Moment::recovery_visit);
      case TraceKind::token_sent:
        return aims_.waits_for(Moment::token_sent);
      case TraceKind::token_held:
      case TraceKind::token_released:
      case TraceKind::packet_dropped:
      case TraceKind::note:
        return true;
      default:
        return false;
    }
  };
  recorder_.set_trace_listener(is_wanted, [this](std::size_t host, const TraceEvent& event) {
    evidence_.on_trace(host, event);
    on_trace(host, event);
  });
  recorder_.set_order_listener([this](std::size_t host, const OrderedEvent& event) {
    evidence_.on_ordered(host, event);
    const auto* const change = std::get_if<ConfigurationChange>(&event);
    if (change != nullptr && change->kind == ConfigurationChange::Kind::transitional) {
      on_moment(host, Moment::transitional, 0);
    }
  });
  cluster_.set_persist_listener([this](std::size_t host) { on_moment(host, Moment::persist, 0); });
  cluster_.set_packet_listener([this](std::size_t host, std::span<const std::byte> packet) {
    evidence_.on_packet(host, packet);
  });
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
  if (!timed_.empty()) schedule();
}

void FaultInjector::stop() {
  stopped_ = true;
  aims_.clear();
  cluster_.network().heal();
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    cluster_.mend(host);
    if (!cluster_.is_up(host)) cluster_.start(host, storage_at_the_end_[host]);
  }
}

void FaultInjector::add_evidence(std::map<std::string, std::uint64_t>& counts) {
  evidence_.add_to(counts, recorder_.history);
}

void FaultInjector::perform(const std::string& what) {
  injections_.push_back({.at = cluster_.now() - begin_, .what = what});
  evidence_.on_injection(what);
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
    if (random_.chance(options_.aimed_share)) {
      // Not every moment comes.
      aims_.add(random_, cluster_.hosts());
      aims_.add(random_, cluster_.hosts());
    } else {
      evidence_.count("fault by the clock");
      inject();
    }
    schedule();
  });
}

void FaultInjector::on_trace(std::size_t host, const TraceEvent& event) {
  if (stopped_ || options_.schedule) return;
  const std::optional<Moment> moment = moment_of(event);
  if (!moment) return;
  if (*moment == Moment::token_received && evidence_.is_in_recovery(host)) {
    on_moment(host, Moment::recovery_visit, evidence_.recovery_visits(host));
  } else {
    on_moment(host, *moment, 0);
  }
}

void FaultInjector::on_moment(std::size_t host, Moment moment, unsigned number) {
  if (stopped_ || options_.schedule) return;
  const std::optional<Aim> aim = aims_.take(host, moment, number);
  if (!aim) return;
  if (aim->breaks) {
    later(Duration{1}, [this, host] { break_off(host); });
    return;
  }
  const Duration soon =
      random_.chance(0.5) ? Duration{1} : random_.between(Duration{0}, Duration{microseconds{800}});
  later(soon, [this, host, moment] {
    evidence_.count("fault at a moment of the protocol");
    evidence_.count("fault at: " + std::string(to_string(moment)));
    aimed_at_ = host;
    inject();
    aimed_at_.reset();
  });
}

void FaultInjector::inject() {
  const Fault fault = random_.pick(timed_);
  if (fault < Fault::pause) {
    inject_link_fault(fault);
  } else {
    inject_machine_fault(fault);
  }
}

Duration FaultInjector::some_time() {
  const double exponent = random_.unit() * 9.0;  // 2^0 .. 2^9 times token_loss / 128
  return Duration{static_cast<Duration::rep>(
      static_cast<double>(options_.token_loss.count()) / 128.0 * std::exp2(exponent))};
}

std::size_t FaultInjector::target() {
  if (!aimed_at_ || random_.chance(0.15)) return random_.below(cluster_.hosts());
  if (random_.chance(0.2)) return other_than(*aimed_at_);
  return *aimed_at_;
}

std::size_t FaultInjector::other_than(std::size_t host) {
  const std::size_t hosts = cluster_.hosts();
  return hosts == 1 ? host : (host + 1 + random_.below(hosts - 1)) % hosts;
}

}  // namespace ringcast::sim
