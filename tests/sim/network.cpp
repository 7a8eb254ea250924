// SPDX-License-Identifier: Apache-2.0
#include "sim/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocol/wire/seal.hpp"

namespace ringcast::sim {

Network::Network(std::size_t hosts, Random random)
    : hosts_(hosts), random_(random), links_(hosts * hosts), remembered_(hosts) {}

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

bool Network::is_lost_by_type(const LinkFaults& faults, std::span<const std::byte> bytes) {
  constexpr std::size_t type_offset = 3;
  if (bytes.size() <= type_offset) return false;
  double share = 0;
  switch (static_cast<PacketType>(bytes[type_offset])) {
    case PacketType::data:
      share = faults.lose_data;
      break;
    case PacketType::token:
      share = faults.lose_tokens;
      break;
    case PacketType::join:
      share = faults.lose_joins;
      break;
    case PacketType::commit:
      share = faults.lose_commits;
      break;
    case PacketType::probe:
    case PacketType::wakeup:
      break;
  }
  const bool lost = random_.chance(share);
  counts_.lost_by_type += lost ? 1U : 0U;
  return lost;
}

std::optional<Instant> Network::take_turn(Link& link, Instant now, std::size_t bytes) {
  const std::size_t rate = link.faults.rate_bytes;
  if (rate == 0) return now;
  const auto time_of = [rate](std::size_t size) {
    return Duration{
        static_cast<Duration::rep>(static_cast<double>(size) * 1e9 / static_cast<double>(rate))};
  };
  const Instant free = std::max(link.sent_until, now);
  if (free - now + time_of(bytes) > time_of(link.faults.queue_bytes)) return std::nullopt;
  link.sent_until = free + time_of(bytes);
  return link.sent_until;
}

void Network::corrupt(BufferRef& bytes) {
  ++counts_.corrupted;
  switch (random_.below(3)) {
    case 0: {
      const std::size_t bit = random_.below(bytes.size() * 8);
      bytes.writable()[bit / 8] ^= std::byte{1} << (bit % 8);
      return;
    }
    case 1:
      bytes = bytes.slice(0, random_.below(bytes.size()));
      return;
    default: {  // a count or a length that lies
      const std::size_t at = random_.below(bytes.size());
      bytes.writable()[at] = static_cast<std::byte>(random_.next() & 0xffU);
      return;
    }
  }
}

void Network::remember(std::size_t to, const BufferRef& bytes) {
  if (remembered_max_ == 0) return;
  // Of what is common every eighth is enough, or the rare would soon be forgotten.
  const PacketType type = read_header(bytes.bytes()).type;
  const bool is_common = type == PacketType::data || type == PacketType::token;
  if (is_common && counts_.sent % 8 != 0) return;
  if (remembered_[to].size() == remembered_max_) remembered_[to].pop_front();
  remembered_[to].push_back(BufferRef::copy_of(bytes.bytes()));
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
  if (is_lost_by_type(link.faults, bytes)) return Fate::lost;
  return random_.chance(link.faults.loss) ? Fate::lost : Fate::sent;
}

void Network::launch(Instant ready, std::size_t from, std::size_t to, const BufferRef& bytes) {
  BufferRef copy = BufferRef::copy_of(bytes.bytes());
  if (!bytes.empty() && random_.chance(link(from, to).corrupt)) corrupt(copy);
  depart(ready, from, to, std::move(copy));
}

void Network::depart(Instant ready, std::size_t from, std::size_t to, BufferRef bytes) {
  last_ready_ = std::max(last_ready_, ready);
  flights_.push(
      {.ready = ready, .order = order_++, .from = from, .to = to, .bytes = std::move(bytes)});
}

void Network::send(Instant now, std::size_t from, std::size_t to, const BufferRef& bytes) {
  Link& link = links_[from * hosts_ + to];
  Fate fate = fate_of(link, from, to, bytes.bytes());
  Instant out = now;
  if (fate == Fate::sent) {
    const std::optional<Instant> turn = take_turn(link, now, bytes.size());
    if (!turn) fate = Fate::queue_full;
    out = turn.value_or(now);
  }
  if (tap_) tap_(now, from, to, bytes, fate);
  ++counts_.sent;
  remember(to, bytes);
  if (fate != Fate::sent) {
    counts_.blocked += fate == Fate::blocked ? 1U : 0U;
    counts_.too_long += fate == Fate::too_long ? 1U : 0U;
    counts_.queue_full += fate == Fate::queue_full ? 1U : 0U;
    counts_.lost += fate == Fate::lost || fate == Fate::filtered ? 1U : 0U;
    return;
  }
  Instant ready = out + delay_of(link.faults);
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
  ++counts_.injected;
  depart(ready, from, to, std::move(bytes));
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
    link.sent_until = Instant{};
  }
  stragglers_until_ = last_ready_;
}

}  // namespace ringcast::sim
