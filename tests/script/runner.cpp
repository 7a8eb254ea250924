// SPDX-License-Identifier: Apache-2.0
//
// The commands. What the transcript says about events is in runner_show.cpp.
#include "script/runner.hpp"

#include <utility>

#include "script/words.hpp"
#include "sim/checkers/checkers.hpp"

namespace ringcast::script {

using sim::SimClient;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration settle_silence = seconds{2};
constexpr Duration settle_max = seconds{60};

}  // namespace

Runner::Runner()
    : commands_{{"option", &Runner::option},   {"ring", &Runner::ring},
                {"daemons", &Runner::daemons}, {"start", &Runner::start},
                {"restart", &Runner::start},   {"crash", &Runner::crash},
                {"pause", &Runner::pause},     {"resume", &Runner::resume},
                {"leave", &Runner::leave},     {"client", &Runner::client},
                {"group", &Runner::group},     {"join", &Runner::join},
                {"publish", &Runner::publish}, {"goodbye", &Runner::goodbye},
                {"hangup", &Runner::hangup},   {"stall", &Runner::stall},
                {"read", &Runner::read},       {"garbage", &Runner::garbage},
                {"cut", &Runner::cut},         {"heal", &Runner::heal},
                {"drop", &Runner::treat},      {"delay", &Runner::treat},
                {"copy", &Runner::treat},      {"keep", &Runner::treat},
                {"watch", &Runner::treat},     {"replay", &Runner::replay},
                {"when", &Runner::when},       {"configure", &Runner::configure},
                {"run", &Runner::run_for},     {"settle", &Runner::settle},
                {"status", &Runner::status},   {"trace", &Runner::trace}},
      shown_{
          "state_entered",
          "token_lost",
          "merge_detected",
          "regular",
          "transitional",
          "view",
          "message",
          "confirm",
          "drop"} {
  config_.small_boot_ids = true;
  config_.ring.token_rest_after = Duration::zero();
  config_.ring.accelerated_percent = 50;
}

Runner::~Runner() = default;

std::vector<std::string> Runner::run(const Paragraph& paragraph) {
  lines_.clear();
  if (cluster_) began_ = cluster_->now();
  for (const Command& command : paragraph.commands) {
    carry_out(command.words);
  }
  return transcript();
}

void Runner::carry_out(const Words& words) {
  const auto at = commands_.find(words[0]);
  if (at == commands_.end()) return complain("no command " + words[0]);
  const bool needs_cluster = at->first != "option" && at->first != "ring" && at->first != "daemons";
  if (needs_cluster && !cluster_) return complain(words[0] + " before ring or daemons");
  (this->*at->second)(words);
}

std::vector<std::string> Runner::judge() {
  std::vector<std::string> result;
  if (!recorder_) return result;
  sim::Report report;
  sim::check_all(recorder_->history, report);
  for (const sim::Violation& violation : report.violations()) {
    result.push_back(violation.invariant + "  " + violation.what);
  }
  return result;
}

// Set-up.

void Runner::option(const Words& words) {
  const auto duration = [&](const char* name, Duration& target) {
    if (const auto value = value_of(words, name)) target = to_duration(*value);
  };
  duration("token_loss", config_.ring.token_loss);
  duration("consensus", config_.ring.consensus);
  duration("token_hold", config_.ring.token_hold);
  duration("token_rest_after", config_.ring.token_rest_after);
  duration("probe", config_.ring.probe_interval);
  duration("fail_to_receive", config_.ring.fail_to_receive);
  duration("backoff_max", config_.ring.backoff_max);
  duration("delay", delay_);
  duration("persist", config_.persist_min);
  duration("persist", config_.persist_max);
  if (const auto value = value_of(words, "accelerated_percent")) {
    config_.ring.accelerated_percent = static_cast<std::uint32_t>(to_number(*value));
  }
  if (const auto value = value_of(words, "message_bytes_max")) {
    config_.ring.message_bytes_max = static_cast<std::uint32_t>(to_number(*value));
  }
  if (const auto value = value_of(words, "datagram")) {
    config_.datagram_bytes_max = static_cast<std::uint32_t>(to_number(*value));
  }
  if (const auto value = value_of(words, "backlog")) {
    config_.session.backlog_bytes_max = to_number(*value);
    config_.socket_bytes = 4096;
  }
  if (const auto value = value_of(words, "receive_buffer")) {
    config_.receive_buffer_bytes = config_.receive_buffer_told = to_number(*value);
  }
  if (const auto value = value_of(words, "window")) {
    config_.ring.window_packets_max = static_cast<std::uint32_t>(to_number(*value));
  }
}

void Runner::daemons(const Words& words) {
  config_.names = expand({words.begin() + 1, words.end()});
  network_ = std::make_unique<sim::Network>(config_.names.size(), sim::Random{1});
  sim::LinkFaults link;
  link.delay_min = link.delay_max = delay_;
  network_->set_all(link);
  recorder_ = std::make_unique<sim::Recorder>(config_.names);
  cluster_ = std::make_unique<sim::Cluster>(config_, *network_, *recorder_, sim::Random{2});
  recorder_->attach(*cluster_);
  recorder_->set_trace_listener(
      [this](TraceKind kind, TraceLevel) { return is_wanted(std::string(to_string(kind))); },
      [this](std::size_t host, const TraceEvent& event) { on_trace(host, event); });
  recorder_->set_order_listener(
      [this](std::size_t host, const OrderedEvent& event) { on_ordered(host, event); });
  network_->set_filter([this](std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
    return filter(from, to, bytes);
  });
  began_ = cluster_->now();
}

void Runner::ring(const Words& words) {
  daemons(words);
  quiet_ = true;
  for (std::size_t i = 0; i < cluster_->hosts(); ++i) {
    cluster_->start(i);
  }
  const Instant limit = cluster_->now() + seconds{10};
  while (!is_one_ring() && cluster_->now() < limit) {
    run_until(cluster_->now() + milliseconds{1});
  }
  // Until the exchange is over and the token rests.
  run_until(cluster_->now() + milliseconds{500});
  quiet_ = false;
  began_ = cluster_->now();
  for (std::size_t i = 0; i < cluster_->hosts(); ++i) {
    say(cluster_->name(i), is_one_ring() ? "one ring" : "did not form a ring");
  }
}

bool Runner::is_one_ring() const {
  for (std::size_t i = 0; i < cluster_->hosts(); ++i) {
    if (!cluster_->is_up(i)) return false;
    const NodeStatus status = cluster_->node(i)->status(cluster_->now());
    if (status.state != "operational") return false;
    if (status.configuration.daemons.size() != cluster_->hosts()) return false;
  }
  return true;
}

std::optional<std::size_t> Runner::host(const std::string& name) {
  for (std::size_t i = 0; i < cluster_->hosts(); ++i) {
    if (cluster_->name(i) == name) return i;
  }
  complain("no daemon " + name);
  return std::nullopt;
}

SimClient* Runner::find_client(const std::string& label) {
  const auto at = clients_.find(label);
  if (at != clients_.end()) return at->second.get();
  complain("no client " + label);
  return nullptr;
}

// Daemons.

void Runner::start(const Words& words) {
  if (words.at(1) == "*") {
    for (std::size_t i = 0; i < cluster_->hosts(); ++i) {
      if (!cluster_->is_up(i)) cluster_->start(i);
    }
    return;
  }
  const std::optional<std::size_t> index = host(words.at(1));
  if (!index) return;
  if (cluster_->is_up(*index)) return complain(words[1] + " is up");
  sim::Storage storage = sim::Storage::kept;
  if (has(words, "lost")) storage = sim::Storage::lost;
  if (has(words, "torn")) storage = sim::Storage::torn;
  if (const auto number = value_of(words, "number")) {
    cluster_->set_stored(*index, StoredState{to_number(*number)});
  }
  cluster_->start(*index, storage);
}

void Runner::crash(const Words& words) {
  const std::optional<std::size_t> index = host(words.at(1));
  if (!index) return;
  if (words.size() == 4 && words[2] == "after") {
    cluster_->crash_in_output(*index, to_number(words[3]));
  } else {
    cluster_->crash(*index);
  }
}

void Runner::pause(const Words& words) {
  if (const auto index = host(words.at(1))) cluster_->pause(*index);
}

void Runner::resume(const Words& words) {
  if (const auto index = host(words.at(1))) cluster_->resume(*index);
}

void Runner::leave(const Words& words) {
  if (words.size() == 3) {
    if (SimClient* client = find_client(words[1])) client->leave(words[2]);
  } else if (const auto index = host(words.at(1))) {
    cluster_->leave(*index);
  }
}

void Runner::configure(const Words& words) {
  if (const auto index = host(words.at(1))) cluster_->configure(*index, split(words.at(2), ','));
}

// Clients.

void Runner::client(const Words& words) {
  const std::vector<std::string> parts = split(words.at(1), '@');
  if (parts.size() != 2) return complain("client NAME@DAEMON");
  const std::optional<std::size_t> index = host(parts[1]);
  if (!index) return;
  if (clients_.contains(parts[0])) gone_.push_back(std::move(clients_[parts[0]]));
  auto client = std::make_unique<SimClient>(
      *cluster_, recorder_->history, *index, recorder_->process_of(*index));
  const std::string& label = parts[0];
  client->set_listener(
      [this, label](SimClient&, const ServerFrame& frame) { on_frame(label, frame); });
  client->hello(label);
  clients_[label] = std::move(client);
  run_until(cluster_->now() + milliseconds{1});
}

void Runner::group(const Words& words) {
  quiet_ = true;
  std::string members;
  for (std::size_t i = 2; i < words.size(); ++i) {
    client({"client", words[i]});
    members += (members.empty() ? "" : ",") + words[i];
    if (SimClient* client = find_client(split(words[i], '@')[0])) client->join(words.at(1));
  }
  run_until(cluster_->now() + milliseconds{300});
  quiet_ = false;
  began_ = cluster_->now();
  say(members, "members of " + words.at(1));
}

void Runner::join(const Words& words) {
  if (SimClient* client = find_client(words.at(1))) client->join(words.at(2));
}

void Runner::publish(const Words& words) {
  SimClient* client = find_client(words.at(1));
  if (client == nullptr) return;
  const std::optional<Service> service = parse_service(words.at(2));
  if (!service) return complain("no service " + words[2]);
  sim::PublishOptions options;
  options.service = *service;
  options.groups = split(words.at(3), ',');
  options.echo = !has(words, "noecho");
  options.confirm = !has(words, "noconfirm");
  if (const auto size = value_of(words, "size")) {
    options.size = to_number(*size);
  } else {
    options.text = words.at(4);
  }
  const std::uint64_t times = to_number(value_of(words, "times").value_or("1"));
  for (std::uint64_t i = 0; i < times; ++i) {
    client->publish(options);
  }
}

void Runner::goodbye(const Words& words) {
  if (SimClient* client = find_client(words.at(1))) client->goodbye();
}

void Runner::hangup(const Words& words) {
  if (SimClient* client = find_client(words.at(1))) client->hang_up();
}

void Runner::stall(const Words& words) {
  if (SimClient* client = find_client(words.at(1))) client->stop_reading();
}

void Runner::read(const Words& words) {
  if (SimClient* client = find_client(words.at(1))) client->start_reading();
}

void Runner::garbage(const Words& words) {
  SimClient* client = find_client(words.at(1));
  if (client == nullptr) return;
  const std::vector<std::byte> nonsense(to_number(words.at(2)), std::byte{0x5a});
  client->send_raw(nonsense);
}

// Time.

void Runner::run_until(Instant limit) { cluster_->run_until(limit); }

void Runner::run_for(const Words& words) { run_until(cluster_->now() + to_duration(words.at(1))); }

void Runner::settle(const Words&) {
  const Instant limit = cluster_->now() + settle_max;
  last_line_ = cluster_->now();
  while (cluster_->now() < last_line_ + settle_silence) {
    if (cluster_->now() >= limit) return complain("does not settle");
    run_until(cluster_->now() + milliseconds{10});
  }
}

void Runner::status(const Words& words) {
  const std::optional<std::size_t> index = host(words.at(1));
  if (!index) return;
  const Node* node = cluster_->node(*index);
  if (node == nullptr) return say(words[1], "down");
  const NodeStatus status = node->status(cluster_->now());
  std::string text = status.state + " " + in_braces(status.configuration.daemons) +
                     " groups=" + std::to_string(status.groups) +
                     " sessions=" + std::to_string(status.sessions);
  for (const auto& [name, value] : status.counters) {
    if (has(words, name)) text += " " + name + "=" + std::to_string(value);
  }
  say(words[1], text);
}

void Runner::trace(const Words& words) {
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words.at(1) == "on") shown_.insert(words[i]);
    if (words.at(1) == "off") shown_.erase(words[i]);
  }
}

}  // namespace ringcast::script
