// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace ringcast::sim {

namespace {

constexpr std::size_t unconfirmed_max = 200;
constexpr std::size_t unsent_bytes_max = std::size_t{512} << 10U;

}  // namespace

Workload::Workload(Cluster& cluster, Recorder& recorder, WorkloadOptions options, Random random)
    : cluster_(cluster), recorder_(recorder), options_(options), random_(random) {
  for (std::size_t i = 0; i < options_.clients; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->number = i;
    slots_.back()->host = random_.below(cluster_.hosts());
  }
}

void Workload::start() {
  for (const auto& slot : slots_) {
    schedule(*slot);
  }
  if (options_.storm_interval > Duration{0}) storm();
  if (options_.active > Duration{0}) rest(false);
}

void Workload::storm() {
  cluster_.after(random_.around(options_.storm_interval), [this] {
    if (stopped_) return;
    for (const auto& slot : slots_) {
      if (slot->client != nullptr && slot->client->is_open()) slot->client->hang_up();
      connect(*slot);
    }
    storm();
  });
}

void Workload::rest(bool is_idle) {
  is_idle_ = is_idle;
  cluster_.after(random_.around(is_idle ? options_.idle : options_.active), [this, is_idle] {
    if (!stopped_) rest(!is_idle);
  });
}

void Workload::stop() {
  stopped_ = true;
  for (const auto& slot : slots_) {
    if (slot->client != nullptr && slot->client->is_open()) slot->client->start_reading();
  }
}

bool Workload::is_quiet() const { return first_unquiet().empty(); }

std::string Workload::first_unquiet() const {
  for (const auto& slot : slots_) {
    const SimClient* client = slot->client;
    if (client == nullptr || client->is_quiet()) continue;
    return "client " + std::to_string(client->id()) + " " + to_string(client->record().member()) +
           ": " + std::to_string(client->unconfirmed()) + " unconfirmed, " +
           std::to_string(client->unsent_bytes()) + " bytes unsent, welcome " +
           (client->is_welcome() ? "yes" : "no");
  }
  return {};
}

void Workload::schedule(Slot& slot) {
  Slot* next = &slot;
  cluster_.after(random_.around(options_.think), [this, next] {
    if (stopped_) return;
    if (!is_idle_) act(*next);
    schedule(*next);
  });
}

void Workload::act(Slot& slot) {
  if (slot.client == nullptr || !slot.client->is_open()) {
    connect(slot);
  } else if (slot.client->is_welcome() && slot.client->is_reading()) {
    act_connected(*slot.client);
  }
}

void Workload::connect(Slot& slot) {
  if (random_.chance(0.3)) slot.host = random_.below(cluster_.hosts());
  if (!cluster_.is_up(slot.host) || cluster_.is_leaving(slot.host)) return;
  clients_.push_back(std::make_unique<SimClient>(
      cluster_,
      recorder_.history,
      slot.host,
      recorder_.process_of(slot.host),
      options_.tickets_before));
  slot.client = clients_.back().get();
  const bool named = random_.chance(0.6);
  slot.client->hello(named ? "c" + std::to_string(slot.number) : std::string{});
}

void Workload::act_connected(SimClient& client) {
  const std::vector<std::pair<double, void (Workload::*)(SimClient&)>> actions = {
      {options_.publish, &Workload::publish},
      {options_.join, &Workload::join},
      {options_.leave, &Workload::leave},
      {options_.ask, &Workload::ask},
      {options_.stall, &Workload::stall},
      {options_.hostile, &Workload::hostile},
      {options_.cut_frame, &Workload::cut_frame}};
  double total = options_.burst + options_.goodbye + options_.hang_up;
  for (const auto& [weight, action] : actions) {
    total += weight;
  }
  double draw = random_.unit() * total;
  for (const auto& [weight, action] : actions) {
    if (draw < weight) {
      (this->*action)(client);
      return;
    }
    draw -= weight;
  }
  if (draw < options_.burst) {
    const std::uint64_t count = random_.between(5, options_.burst_max);
    for (std::uint64_t i = 0; i < count; ++i) {
      publish(client);
    }
  } else if (draw < options_.burst + options_.goodbye) {
    client.goodbye();
  } else {
    client.hang_up();
  }
}

std::string Workload::destination() {
  if (!clients_.empty() && random_.chance(0.1)) {
    const SimClient* other = random_.pick(clients_).get();
    if (other->is_welcome()) return to_string(other->record().member());
  }
  return some_group();
}

/// Few groups are busy, many are not (Zipf).
std::string Workload::some_group() {
  const double rank = std::pow(static_cast<double>(options_.groups), random_.unit());
  return "g" + std::to_string(static_cast<std::size_t>(rank) - 1);
}

std::size_t Workload::size() {
  const double draw = random_.unit();
  if (draw < options_.large_share) return random_.between(8192, options_.large_bytes_max);
  if (draw < 0.10) return random_.below(identified_payload_bytes_min);
  if (draw < 0.75) return random_.between(identified_payload_bytes_min, 300);
  if (draw < 0.95) return random_.between(300, 3000);
  return random_.between(3000, 20000);
}

void Workload::publish(SimClient& client) {
  if (client.unconfirmed() > unconfirmed_max || client.unsent_bytes() > unsent_bytes_max) return;
  PublishOptions options;
  const std::uint64_t count = random_.chance(0.15) ? random_.between(2, 4) : 1;
  std::set<std::string> groups;
  for (std::uint64_t i = 0; i < count; ++i) {
    groups.insert(destination());
  }
  options.groups.assign(groups.begin(), groups.end());
  options.service =
      random_.chance(options_.safe_share) ? Service::safe : static_cast<Service>(random_.below(4));
  options.size = size();
  const bool identified = options.size >= identified_payload_bytes_min;
  options.echo = !identified || !random_.chance(0.15);
  options.confirm = !random_.chance(0.1);
  if (random_.chance(options_.oversize / 100.0)) {
    const std::uint64_t most = client.welcome().message_bytes_max;
    options.size = random_.chance(0.5) ? most + 1 : random_.between(most + 1, 2 * most);
    options.confirm = true;
  }
  ++published_;
  client.publish(options);
}

void Workload::join(SimClient& client) {
  const std::string group = some_group();
  // Now and then one it is in already, to see the refusal.
  if (client.groups().contains(group) && !random_.chance(0.05)) return;
  client.join(group);
}

void Workload::leave(SimClient& client) {
  if (client.groups().empty()) return;
  const std::vector<std::string> groups(client.groups().begin(), client.groups().end());
  client.leave(random_.pick(groups));
}

void Workload::ask(SimClient& client) {
  const Question what =
      random_.pick(std::vector<Question>{Question::status, Question::groups, Question::ping});
  const bool of_all = random_.chance(0.3);
  const std::string group = some_group();
  client.ask(what, what == Question::groups && !of_all ? group : std::string{});
}

void Workload::stall(SimClient& client) {
  client.stop_reading();
  SimClient* stalled = &client;
  cluster_.after(
      random_.between(Duration{0}, options_.stall_max), [stalled] { stalled->start_reading(); });
}

void Workload::cut_frame(SimClient& client) {
  PublishOptions options;
  options.groups = {destination()};
  options.size = size();
  client.publish_part(options, random_.unit());
  client.hang_up();
}

void Workload::hostile(SimClient& client) {
  std::vector<std::byte> garbage(random_.between(1, 64));
  for (std::byte& byte : garbage) {
    byte = static_cast<std::byte>(random_.next() & 0xffU);
  }
  constexpr std::size_t type_at = frame_length_bytes;
  ByteWriter frame;
  switch (random_.below(8)) {
    case 0:  // longer than any frame
      std::fill_n(garbage.begin(), std::min(garbage.size(), type_at), std::byte{0xff});
      break;
    case 1:  // empty
      std::fill_n(garbage.begin(), std::min(garbage.size(), type_at), std::byte{0});
      break;
    case 2:  // of no type
      garbage.resize(type_at + 2);
      std::fill(garbage.begin(), garbage.end(), std::byte{0});
      garbage.front() = std::byte{2};
      garbage[type_at] = std::byte{0xee};
      break;
    case 3:  // who it is, once more
      encode_hello(frame, "again");
      break;
    case 4:  // what only daemons say
      encode_pong(frame, 1);
      break;
    case 5:  // a group that cannot be
      encode_join(frame, "no group");
      break;
    default:
      break;
  }
  client.send_raw(frame.size() > 0 ? frame.view() : std::span<const std::byte>{garbage});
  // Garbage may look like the start of a long frame, and what follows like the rest of it; so
  // this client asks for nothing it wants to see answered, and goes.
  SimClient* gone = &client;
  cluster_.after(random_.between(Duration{0}, Duration{std::chrono::milliseconds{100}}), [gone] {
    gone->hang_up();
  });
}

}  // namespace ringcast::sim
