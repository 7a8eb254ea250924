// SPDX-License-Identifier: Apache-2.0
#include "sim/recorder.hpp"

#include <cstdio>
#include <utility>

namespace ringcast::sim {

Recorder::Recorder(std::vector<std::string> names)
    : names_(std::move(names)), processes_(names_.size()), incarnations_(names_.size(), 0) {
  for (const std::string& name : names_) {
    history.names[node_id(name)] = name;
  }
}

void Recorder::attach(Cluster& cluster) { cluster_ = &cluster; }

void Recorder::set_trace_listener(Wanted wanted, TraceListener listener) {
  wanted_ = std::move(wanted);
  trace_listener_ = std::move(listener);
}

std::optional<ProcessIndex> Recorder::process_of(std::size_t host) const {
  return processes_[host];
}

void Recorder::mix(std::uint64_t value) {
  hash_ ^= value + 0x9e3779b97f4a7c15ULL + (hash_ << 6U) + (hash_ >> 2U);
  hash_ *= 0xbf58476d1ce4e5b9ULL;
  hash_ ^= hash_ >> 29U;
}

void Recorder::mix(std::string_view text) {
  mix(content_hash(std::as_bytes(std::span{text.data(), text.size()})));
}

void Recorder::add_to(std::map<std::string, std::uint64_t>& counts) const {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Count::end)> names = {
      "deliveries",
      "deliveries in a transitional configuration",
      "safe in transitional",
      "safe in regular",
      "transitional installs",
      "regular installs"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (counts_[i] > 0) counts[std::string(names[i])] += counts_[i];
  }
  for (std::size_t kind = 0; kind < traces_.size(); ++kind) {
    if (traces_[kind] == 0) continue;
    const std::string_view name = to_string(static_cast<TraceKind>(kind));
    counts["trace " + std::string(name)] += traces_[kind];
  }
}

void Recorder::on_started(std::size_t host, BootId boot, Storage storage) {
  Process process;
  process.daemon = names_[host];
  process.node = node_id(names_[host]);
  process.boot = boot;
  process.incarnation = ++incarnations_[host];
  process.storage = incarnations_[host] == 1 ? Storage::kept : storage;
  process.started = cluster_->now();
  processes_[host] = history.start_process(std::move(process));
  mix(boot.value);
  if (oracle_ != nullptr) oracle_->on_started(host, boot, storage);
  if (verbose) say(host, "--- starts, boot " + to_string(NodeId{boot.value}));
}

void Recorder::on_ended(std::size_t host, Ending ending) {
  if (!processes_[host]) return;
  history.end_process(*processes_[host], cluster_->now(), ending);
  if (oracle_ != nullptr) oracle_->on_ended(host);
  processes_[host].reset();
  mix(static_cast<std::uint64_t>(ending) + 17U);
  if (verbose) say(host, ending == Ending::crashed ? "--- crashes" : "--- has left");
}

void Recorder::on_ordered(std::size_t host, const OrderedEvent& event) {
  const Instant now = cluster_->now();
  if (oracle_ != nullptr) oracle_->on_ordered(host, event);
  history.ordered(*processes_[host], now, event);
  mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  const ProcessEvent& added = history.processes[*processes_[host]].events.back();
  if (const auto* delivered = std::get_if<Delivered>(&added.what)) {
    count(Count::delivery);
    mix(delivered->hash);
    mix(delivered->label.seq.value);
    if (delivered->transitional) count(Count::delivery_transitional);
    if (delivered->service == Service::safe) {
      count(delivered->transitional ? Count::safe_transitional : Count::safe_regular);
    }
    if (verbose) say(host, "deliver " + history.describe(delivered->message));
  } else {
    const auto& change = std::get<Installed>(added.what);
    const bool transitional = change.kind == ConfigurationChange::Kind::transitional;
    count(transitional ? Count::install_transitional : Count::install_regular);
    last_change_ = now;
    mix(change.id.seq);
    std::string text = transitional ? "transitional {" : "regular {";
    for (const NodeKey& key : change.members) {
      text += " " + history.name_of(key.node);
    }
    if (verbose) say(host, "install " + text + " } " + history.show(change.id));
  }
  if (order_listener_) order_listener_(host, event);
}

void Recorder::on_input(std::size_t host) {
  if (oracle_ != nullptr) oracle_->on_input(host);
}

bool Recorder::listens(TraceKind kind, TraceLevel level) const {
  switch (kind) {
    case TraceKind::token_received:
    case TraceKind::token_sent:
    case TraceKind::token_held:
    case TraceKind::token_released:
    case TraceKind::packet_requested:
    case TraceKind::packet_dropped:
    case TraceKind::safe_line:
    case TraceKind::discarded:
    case TraceKind::note:
      return verbose || (wanted_ && wanted_(kind, level));  // many, and no checker needs them
    case TraceKind::started:
    case TraceKind::state_entered:
    case TraceKind::configuration_installed:
    case TraceKind::token_retransmitted:
    case TraceKind::token_dropped:
    case TraceKind::token_lost:
    case TraceKind::originated:
    case TraceKind::packet_retransmitted:
    case TraceKind::recovery_step:
    case TraceKind::merge_detected:
    case TraceKind::session_opened:
    case TraceKind::session_closed:
    case TraceKind::exchange:
      return true;
  }
  return true;
}

void Recorder::on_trace(std::size_t host, const TraceEvent& event) {
  ++traces_[static_cast<std::size_t>(event.kind)];
  if (event.kind == TraceKind::originated && processes_[host] && event.count > 0) {
    history.originated(
        *processes_[host],
        cluster_->now(),
        {.ring = event.ring, .seq = event.seq, .count = event.count});
  }
  if (event.kind == TraceKind::state_entered) {
    mix(event.text);
    if (processes_[host]) {
      history.entered(*processes_[host], cluster_->now(), event.ring, event.text);
    }
  }
  note_session(host, event);
  if (verbose) {
    say(host,
        std::string(to_string(event.kind)) + " seq " + std::to_string(event.seq.value) + "  " +
            with_names(event.text));
  }
  if (trace_listener_) trace_listener_(host, event);
}

void Recorder::note_session(std::size_t host, const TraceEvent& event) {
  const bool is_opened = event.kind == TraceKind::session_opened;
  if (!processes_[host] || (!is_opened && event.kind != TraceKind::session_closed)) return;
  SessionChange change{.session = SessionId{event.count}, .name = {}, .opened = is_opened};
  constexpr std::string_view named = " opened as ";
  if (is_opened) change.name = event.text.substr(event.text.find(named) + named.size());
  history.processes[*processes_[host]].sessions.push_back(std::move(change));
}

std::string Recorder::with_names(std::string text) const {
  for (const auto& [node, name] : history.names) {
    const std::string id = to_string(node);
    for (std::size_t at = text.find(id); at != std::string::npos; at = text.find(id, at)) {
      text.replace(at, id.size(), name);
    }
  }
  return text;
}

void Recorder::say(std::size_t host, const std::string& text) const {
  std::printf("%12s  %-4s %s\n", show(cluster_->now()).c_str(), names_[host].c_str(), text.c_str());
}

}  // namespace ringcast::sim
