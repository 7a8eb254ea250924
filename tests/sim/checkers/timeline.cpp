// SPDX-License-Identifier: Apache-2.0
#include "sim/checkers/timeline.hpp"

namespace ringcast::sim {

namespace {

void add_event(std::vector<Epoch>& epochs, const ProcessEvent& event) {
  if (std::holds_alternative<Entered>(event.what)) return;
  if (const auto* installed = std::get_if<Installed>(&event.what)) {
    Epoch epoch;
    epoch.configuration = installed;
    epoch.installed = event.time;
    epochs.push_back(std::move(epoch));
    return;
  }
  if (epochs.empty()) epochs.emplace_back();
  Epoch& epoch = epochs.back();
  if (const auto* delivered = std::get_if<Delivered>(&event.what)) {
    epoch.deliveries.push_back(delivered);
  } else {
    epoch.originations.push_back(
        {.what = &std::get<Originated>(event.what), .delivered_before = epoch.deliveries.size()});
  }
}

}  // namespace

Timeline::Timeline(const History& h) : history(h), epochs(h.processes.size()) {
  for (ProcessIndex p = 0; p < h.processes.size(); ++p) {
    const Process& process = h.processes[p];
    process_of[{.node = process.node, .boot = process.boot}] = p;
    for (const ProcessEvent& event : process.events) {
      add_event(epochs[p], event);
      if (const auto* delivered = std::get_if<Delivered>(&event.what)) {
        union_of[delivered->label.ring].try_emplace(delivered->label, delivered);
      }
      if (const auto* installed = std::get_if<Installed>(&event.what)) {
        if (installed->kind == ConfigurationChange::Kind::regular) {
          regular.try_emplace(installed->id, installed);
        }
      }
    }
  }
  for (const SessionRecord& session : h.sessions) {
    for (const SessionEvent& event : session.events) {
      if (const auto* publish = std::get_if<Published>(&event.what)) {
        published.try_emplace(publish->id, publish);
      }
    }
  }
}

const Published* Timeline::publish_of(const std::optional<FoundPayload>& payload) const {
  if (!payload) return nullptr;
  const auto at = published.find(payload->id);
  return at == published.end() ? nullptr : at->second;
}

std::string Timeline::show(const Epoch& epoch) const {
  if (epoch.configuration == nullptr) return "no configuration";
  if (!epoch.transitional()) return history.show(epoch.configuration->id);
  return history.show(epoch.configuration->previous) + "~" + history.show(epoch.configuration->id);
}

}  // namespace ringcast::sim
