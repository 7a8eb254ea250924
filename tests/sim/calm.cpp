// SPDX-License-Identifier: Apache-2.0
#include "sim/calm.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace ringcast::sim {

std::vector<Instant> uncalled_changes(
    const History& history, Instant begin, const std::vector<Injection>& injections) {
  std::vector<Instant> causes{begin};
  for (const Injection& injection : injections) {
    if (!injection.what.starts_with("link ")) causes.push_back(begin + injection.at);
  }
  // An aimed fault comes later than it was ordered.
  for (const Process& process : history.processes) {
    causes.push_back(process.started);
    if (process.ended) causes.push_back(*process.ended);
  }
  std::sort(causes.begin(), causes.end());
  std::map<RingId, Instant> installed;
  for (const Process& process : history.processes) {
    for (const ProcessEvent& event : process.events) {
      const auto* change = std::get_if<Installed>(&event.what);
      if (change == nullptr || change->kind != ConfigurationChange::Kind::regular) continue;
      const auto [at, first] = installed.try_emplace(change->id, event.time);
      if (!first) at->second = std::min(at->second, event.time);
    }
  }
  std::vector<Instant> result;
  for (const auto& [ring, when] : installed) {
    const auto next = std::upper_bound(causes.begin(), causes.end(), when);
    if (when < history.healed && when - *std::prev(next) > cause_lasts) result.push_back(when);
  }
  std::sort(result.begin(), result.end());
  return result;
}

double uncalled_most(double per_hour, double hours) {
  const double mean = per_hour * hours;
  return mean + 3 * std::sqrt(mean);
}

}  // namespace ringcast::sim
