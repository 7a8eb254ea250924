// SPDX-License-Identifier: Apache-2.0
//
// What is done to machines.
#include "sim/faults.hpp"

namespace ringcast::sim {

using std::chrono::milliseconds;

void FaultInjector::inject_machine_fault(Fault fault) {
  switch (fault) {
    case Fault::pause:
      return pause();
    case Fault::crash:
      return crash();
    case Fault::clock:
      return clock();
    case Fault::slow_node:
      return slow_node();
    case Fault::overflow:
      return overflow();
    case Fault::send_errors:
      return send_errors();
    case Fault::disk:
      return disk();
    case Fault::leave:
      return leave();
    case Fault::rolling:
      return rolling(target(), cluster_.hosts());
    case Fault::reload:
      return reload();
    case Fault::recovery:
      return recovery();
    default:
      return;  // there all the time
  }
}

Storage FaultInjector::storage() {
  if (!options_.on.contains(Fault::storage_loss)) return Storage::kept;
  switch (random_.below(8)) {
    case 0:
    case 1:
      return Storage::lost;
    case 2:
      return Storage::torn;
    case 3:
      return Storage::stale;
    case 4:
      return Storage::copied;
    default:
      return Storage::kept;
  }
}

void FaultInjector::crash() {
  const std::size_t host = target();
  if (!cluster_.is_up(host)) return;
  const std::string fuse = "fuse " + cluster_.name(host) + " ";
  switch (random_.below(9)) {
    case 0:
      perform(fuse + "send " + std::to_string(random_.below(12)));
      break;
    case 1:
      perform(fuse + "token " + std::to_string(random_.below(3)));
      break;
    case 2:
      perform(fuse + "ordered " + std::to_string(random_.below(8)));
      break;
    case 3:
      perform(fuse + "between " + std::to_string(random_.below(2)));
      break;
    case 4:
      perform(fuse + "delivery " + std::to_string(random_.below(8)));
      break;
    case 5:
      perform(fuse + "persist 0");
      break;
    default:
      perform("crash " + cluster_.name(host));
      break;
  }
  // A fuse may burn long after: whenever it did, somebody starts the daemon again.
  restart_after(host, some_time());
  for (int i = 1; i <= 6; ++i) {
    restart_after(host, milliseconds{300} * i + some_time());
  }
}

void FaultInjector::restart_after(std::size_t host, Duration delay) {
  later(delay, [this, host] {
    if (cluster_.is_up(host)) return;
    perform("start " + cluster_.name(host) + " " + std::string(to_string(storage())));
  });
}

void FaultInjector::leave() {
  const std::size_t host = target();
  if (!cluster_.is_up(host)) return;
  perform("leave " + cluster_.name(host));
  restart_after(host, milliseconds{200} + some_time());
  restart_after(host, milliseconds{3000});
}

void FaultInjector::rolling(std::size_t host, std::size_t left) {
  if (left == 0) return;
  const Duration step = random_.between(milliseconds{100}, milliseconds{900});
  perform("leave " + cluster_.name(host));
  restart_after(host, step);
  restart_after(host, milliseconds{1000});
  later(step + milliseconds{50}, [this, host, left] {
    rolling((host + 1) % cluster_.hosts(), left - 1);
  });
}

void FaultInjector::pause() {
  const std::size_t host = target();
  perform("pause " + cluster_.name(host));
  later(some_time() * 2, [this, host] { perform("resume " + cluster_.name(host)); });
}

void FaultInjector::clock() {
  const std::string words = "clock " + cluster_.name(target());
  if (random_.chance(0.5)) {
    perform(words + " jump " + to_words(some_time()));
    return;
  }
  perform(words + random_.pick(std::vector<std::string>{" rate 0.9", " rate 1.1", " rate 1.03"}));
  later(some_time() * 4, [this, words] { perform(words + " rate 1"); });
}

void FaultInjector::slow_node() {
  const std::string words = "cpu " + cluster_.name(target()) + " ";
  perform(words + random_.pick(std::vector<std::string>{"3", "10", "30", "100"}));
  later(some_time() * 2, [this, words] { perform(words + "1"); });
}

void FaultInjector::overflow() {
  const std::string host = cluster_.name(target());
  const std::size_t usual = cluster_.config().receive_buffer_bytes;
  perform("buffer " + host + " " + std::to_string(random_.between(2'000, 20'000)));
  later(some_time(), [this, host, usual] {
    perform("buffer " + host + " " + std::to_string(usual));
  });
}

void FaultInjector::send_errors() {
  const std::string words = "sends " + cluster_.name(target()) + " ";
  perform(words + random_.pick(std::vector<std::string>{"0.01", "0.1", "0.5", "1"}));
  later(some_time(), [this, words] { perform(words + "0"); });
}

void FaultInjector::disk() {
  const std::size_t host = target();
  const std::string words = "disk " + cluster_.name(host) + " ";
  perform(words + (random_.chance(0.5) ? "fail" : "slow " + to_words(some_time() * 4)));
  if (random_.chance(0.6)) {
    // A daemon writes when it starts, and seldom after.
    perform("crash " + cluster_.name(host));
    restart_after(host, milliseconds{5});
  }
  later(some_time() * 4, [this, words] { perform(words + "ok"); });
}

void FaultInjector::reload() {
  // One daemon is taken out of some configurations, as by an operator in the middle of changing
  // them one after the other.
  const std::size_t out = target();
  std::string rest;
  std::string all;
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    all += " " + cluster_.name(host);
    if (host != out) rest += " " + cluster_.name(host);
  }
  const Duration back = milliseconds{10} + some_time() * 2;
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    if (host == out || random_.chance(0.2)) continue;
    const std::string words = "configure " + cluster_.name(host);
    later(random_.between(Duration{0}, Duration{milliseconds{20}}), [this, words, rest] {
      perform(words + rest);
    });
    later(back + random_.between(Duration{0}, Duration{milliseconds{20}}), [this, words, all] {
      perform(words + all);
    });
  }
}

}  // namespace ringcast::sim
