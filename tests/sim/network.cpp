// SPDX-License-Identifier: Apache-2.0
#include "sim/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ringcast::sim {

Network::Network(std::size_t hosts, Random random)
    : hosts_(hosts), random_(random), links_(hosts * hosts) {}

Duration Network::delay_of(const LinkFaults& faults) {
  Duration delay = random_.between(faults.delay_min, faults.delay_max);
  if (random_.chance(faults.tail)) {
    const double stretch = std::pow(1.0 - random_.unit(), -1.0 / 1.2);  // Pareto, alpha 1.2
    const double tail = static_cast<double>(faults.delay_max.count()) * stretch;
    delay += std::min(
        faults.tail_max,
        Duration{static_cast<Duration::rep>(
            std::min(tail, static_cast<double>(faults.tail_max.count())))});
  }
  return delay;
}

Fate Network::fate_of(
    Link& link, std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  if (link.faults.blocked) return Fate::blocked;
  if (bytes.size() > link.faults.packet_bytes_max) return Fate::too_long;
  if (filter_ && filter_(from, to, bytes)) return Fate::filtered;
  if (link.in_burst) {
    link.in_burst = !random_.chance(link.faults.burst_stop);
  } else {
    link.in_burst = random_.chance(link.faults.burst_start);
  }
  if (link.in_burst && link.faults.burst_start > 0) return Fate::lost;
  return random_.chance(link.faults.loss) ? Fate::lost : Fate::sent;
}

void Network::launch(
    Instant ready, std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  const LinkFaults& faults = link(from, to);
  BufferRef copy = BufferRef::copy_of(bytes);
  if (!bytes.empty() && random_.chance(faults.corrupt)) {
    ++counts_.corrupted;
    if (random_.chance(0.5)) {
      const std::size_t bit = random_.below(bytes.size() * 8);
      copy.writable()[bit / 8] ^= std::byte{1} << (bit % 8);
    } else {
      copy = copy.slice(0, random_.below(bytes.size()));
    }
  }
  flights_.push(
      {.ready = ready, .order = order_++, .from = from, .to = to, .bytes = std::move(copy)});
}

void Network::send(
    Instant now, std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  Link& link = links_[from * hosts_ + to];
  const Fate fate = fate_of(link, from, to, bytes);
  if (tap_) tap_(now, from, to, bytes, fate);
  ++counts_.sent;
  if (fate != Fate::sent) {
    counts_.blocked += fate == Fate::blocked ? 1U : 0U;
    counts_.too_long += fate == Fate::too_long ? 1U : 0U;
    counts_.lost += fate == Fate::lost || fate == Fate::filtered ? 1U : 0U;
    return;
  }
  Instant ready = now + delay_of(link.faults);
  if (random_.chance(link.faults.reorder)) {
    ready += random_.between(Duration{0}, link.faults.reorder_delay_max);
  } else {
    ready = std::max(ready, link.last_ready);
    link.last_ready = ready;
  }
  launch(ready, from, to, bytes);
  if (random_.chance(link.faults.duplicate)) {
    ++counts_.duplicated;
    const Duration later = random_.between(Duration{0}, link.faults.duplicate_delay_max);
    launch(ready + later, from, to, bytes);
  }
}

void Network::inject(Instant ready, std::size_t from, std::size_t to, BufferRef bytes) {
  flights_.push(
      {.ready = ready, .order = order_++, .from = from, .to = to, .bytes = std::move(bytes)});
}

std::optional<Instant> Network::next_ready() const {
  if (flights_.empty()) return std::nullopt;
  return flights_.top().ready;
}

Flight Network::pop() {
  Flight flight = flights_.top();
  flights_.pop();
  return flight;
}

void Network::set_all(const LinkFaults& faults) {
  for (Link& link : links_) {
    link.faults = faults;
  }
}

void Network::partition(const std::vector<std::size_t>& side_of) {
  for (std::size_t from = 0; from < hosts_; ++from) {
    for (std::size_t to = 0; to < hosts_; ++to) {
      link(from, to).blocked = side_of[from] != side_of[to];
    }
  }
}

void Network::unblock_all() {
  for (Link& link : links_) {
    link.faults.blocked = false;
  }
}

void Network::heal() {
  for (Link& link : links_) {
    link.faults = LinkFaults{};
    link.in_burst = false;
  }
}

}  // namespace ringcast::sim
