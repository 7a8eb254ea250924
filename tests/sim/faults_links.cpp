// SPDX-License-Identifier: Apache-2.0
//
// What is done to links.
#include "sim/faults.hpp"

namespace ringcast::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

void FaultInjector::inject_link_fault(Fault fault) {
  switch (fault) {
    case Fault::selective:
      return selective();
    case Fault::delay_step:
      return delay_step();
    case Fault::partition:
      return partition();
    case Fault::one_way:
      return one_way();
    case Fault::nontransitive:
      return nontransitive();
    case Fault::flap:
      return flap();
    case Fault::bandwidth:
      return bandwidth();
    case Fault::black_hole:
      return black_hole();
    case Fault::strangers:
      return stranger();
    case Fault::replay:
      return replay();
    default:
      return;  // there all the time
  }
}

std::string FaultInjector::link_name(std::size_t from, std::size_t to) const {
  return cluster_.name(from) + "->" + cluster_.name(to);
}

std::string FaultInjector::some_links() {
  const std::size_t host = target();
  switch (random_.below(4)) {
    case 0:
      return cluster_.name(host) + "->*";
    case 1:
      return "*->" + cluster_.name(host);
    default: {
      const std::size_t other = other_than(host);
      return random_.chance(0.5) ? link_name(host, other) : link_name(other, host);
    }
  }
}

void FaultInjector::set_knob(const std::string& name, const std::string& value) {
  const std::string links = some_links();
  const std::vector<std::string> before = knob_operations(links, name, options_.links);
  perform("link " + links + " " + name + " " + value);
  later(some_time() * 2, [this, before] {
    for (const std::string& operation : before) {
      perform(operation);
    }
  });
}

void FaultInjector::partition() {
  const std::size_t hosts = cluster_.hosts();
  std::vector<std::size_t> side(hosts, 0);
  switch (random_.below(3)) {
    case 0:  // isolate one
      side[target()] = 1;
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

void FaultInjector::one_way() {
  const std::size_t from = target();
  const std::size_t to = other_than(from);
  if (from == to) return;
  const std::string link = random_.chance(0.5) ? link_name(from, to) : link_name(to, from);
  perform("block " + link);
  later(some_time(), [this, link] { perform("open " + link); });
}

void FaultInjector::nontransitive() {
  const std::size_t a = target();
  const std::size_t b = other_than(a);
  if (a == b) return;
  perform("block " + link_name(a, b));
  perform("block " + link_name(b, a));
  later(some_time() * 2, [this, a, b] {
    perform("open " + link_name(a, b));
    perform("open " + link_name(b, a));
  });
}

void FaultInjector::flap() {
  const std::size_t from = target();
  const std::size_t to = other_than(from);
  if (from == to) return;
  const RingConfig& ring = cluster_.config().ring;
  const Duration timer = random_.pick(std::vector<Duration>{
      ring.token_loss,
      ring.token_loss / 2,
      ring.consensus,
      ring.join_interval,
      ring.token_retransmit_max,
      ring.probe_interval,
      ring.token_hold});
  const Duration period = timer * static_cast<Duration::rep>(random_.between(90, 110)) / 100;
  toggle(from, to, static_cast<unsigned>(random_.between(2, 10)), period);
}

void FaultInjector::toggle(std::size_t from, std::size_t to, unsigned times, Duration period) {
  const std::string change = times > 0 && times % 2 == 0 ? "block " : "open ";
  perform(change + link_name(from, to));
  if (times == 0 || random_.chance(0.5)) perform(change + link_name(to, from));
  if (times == 0) return;
  later(period, [this, from, to, times, period] { toggle(from, to, times - 1, period); });
}

void FaultInjector::black_hole() {
  const std::string limit = "limit " + some_links() + " ";
  perform(limit + std::to_string(random_.between(100, 1450)));
  later(some_time(), [this, limit] { perform(limit + "65535"); });
}

void FaultInjector::selective() {
  if (random_.chance(0.25)) {
    // All data for one daemon, for longer than a ring puts up with: it is failed by the others.
    const std::string links = "*->" + cluster_.name(target());
    perform("link " + links + " lose_data 1");
    later(cluster_.config().ring.fail_to_receive * 3 / 2, [this, links] {
      perform("link " + links + " lose_data 0");
    });
    return;
  }
  const std::string kind = random_.pick(
      std::vector<std::string>{"lose_tokens", "lose_commits", "lose_joins", "lose_data"});
  set_knob(kind, random_.pick(std::vector<std::string>{"0.3", "0.8", "1"}));
}

void FaultInjector::delay_step() {
  const Duration delay = random_.between(microseconds{20}, milliseconds{60});
  const std::string links = some_links();
  const std::string words = to_words(delay);
  perform("link " + links + " delay_min " + words);
  perform("link " + links + " delay_max " + words);
  later(some_time() * 2, [this, links] {
    perform("link " + links + " delay_min " + to_words(options_.links.delay_min));
    perform("link " + links + " delay_max " + to_words(options_.links.delay_max));
  });
}

void FaultInjector::bandwidth() {
  const std::string links = some_links();
  const std::size_t rate = random_.between(200'000, 5'000'000);
  perform("link " + links + " rate_bytes " + std::to_string(rate));
  perform("link " + links + " queue_bytes " + std::to_string(random_.between(3'000, 100'000)));
  later(some_time() * 2, [this, links] { perform("link " + links + " rate_bytes 0"); });
}

void FaultInjector::stranger() {
  const std::string kind = random_.pick(std::vector<std::string>{
      "garbage", "cluster", "version", "unknown", "malformed", "malformed"});
  const std::string host = cluster_.name(target());
  const std::uint64_t count = random_.between(1, 20);
  for (std::uint64_t i = 0; i < count; ++i) {
    perform("stranger " + host + " " + kind + " " + std::to_string(random_.below(1'000'000'000)));
  }
}

void FaultInjector::replay() {
  const std::string kind = random_.pick(
      std::vector<std::string>{"any", "any", "token", "data", "join", "commit", "probe", "wakeup"});
  const std::string host = cluster_.name(target());
  const std::uint64_t count = random_.between(1, 5);
  for (std::uint64_t i = 0; i < count; ++i) {
    perform("replay " + host + " " + kind + " " + std::to_string(random_.below(200)));
  }
}

}  // namespace ringcast::sim
