// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "protocol/ring/config.hpp"
#include "sim/calm.hpp"
#include "sim/campaign.hpp"
#include "sim/input_table.hpp"

namespace ringcast::sim {

namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// In which a view change is promised: the loss is noticed, and two rounds of consensus.
double rest_bound_s() {
  const RingConfig ring;
  return seconds_of(ring.token_loss + 2 * ring.consensus);
}

std::string number(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string line(const std::string& name, const std::string& value) {
  return "  " + name + std::string(name.size() < 34 ? 34 - name.size() : 1, ' ') + value + "\n";
}

std::string describe(const Share& share) {
  return number(share.simulated_s / 3600, 2) + " h in " + std::to_string(share.seeds) + " seeds, " +
         number(share.speed(), 0) + " times real time per core";
}

}  // namespace

void CampaignReport::add(const Outcome& outcome) {
  Share& kind = outcome.calm ? idle_ : busy_;
  for (Share* share : {&kind, &plans_[outcome.options.plan]}) {
    ++share->seeds;
    share->simulated_s += outcome.simulated_s;
    share->processor_s += outcome.processor_s;
  }
  for (const auto& [name, value] : outcome.counts) {
    counts_[name] += value;
    plan_counts_[outcome.options.plan][name] += value;
  }
  for (const auto& [invariant, times] : outcome.violations) {
    violations_[invariant] += times;
  }
  if (outcome.settled) settled_s_.push_back(outcome.settled_s);
  if (!outcome.ok) failures_.push_back(outcome);
}

std::uint64_t CampaignReport::count(const std::string& name) const {
  const auto at = counts_.find(name);
  return at == counts_.end() ? 0 : at->second;
}

double CampaignReport::settled_at(double share) const {
  if (settled_s_.empty()) return 0;
  std::vector<double> sorted = settled_s_;
  std::sort(sorted.begin(), sorted.end());
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(last * share))];
}

std::vector<std::string> CampaignReport::missing() const {
  std::vector<std::string> result;
  for (const Plan& plan : plans()) {
    const auto share = plans_.find(plan.name);
    if (share == plans_.end() || share->second.seeds < evidence_seeds_min) continue;
    const auto& counts = plan_counts_.at(plan.name);
    for (const std::string& name : plan.evidence) {
      const auto found = counts.find(name);
      if (found == counts.end() || found->second == 0) result.push_back(plan.name + ": " + name);
    }
  }
  return result;
}

bool CampaignReport::is_calm() const {
  constexpr double hours_least = 10;
  const double hours = idle_.simulated_s / 3600;
  const auto changes = static_cast<double>(count("configuration changes without a cause"));
  return hours < hours_least || changes < uncalled_per_hour_max * hours;
}

std::string CampaignReport::text() const {
  std::string text = "\ncampaign report\n";
  text += line("first seed", std::to_string(first_seed_));
  text += line("seeds", std::to_string(seeds()) + " in " + number(took_s_, 0) + " s");
  text += line("seeds with violations", std::to_string(failures_.size()));
  text += line("simulated, busy rings", describe(busy_));
  text += line("simulated, idle rings", describe(idle_));
  text += line("configurations installed", std::to_string(count("regular installs")));
  text += line("recoveries aborted", std::to_string(count("counter ring_recoveries_aborted")));
  text += line("deliveries checked", std::to_string(count("deliveries")));
  text += line("messages received by clients", std::to_string(count("received by clients")));
  text += line(
      "changes without a cause (L6)",
      std::to_string(count("configuration changes without a cause")) + " in " +
          number(idle_.simulated_s / 3600, 2) + " h");
  text += line(
      "from healing to rest",
      "p50 " + number(settled_at(0.5), 2) + " s, p99 " + number(settled_at(0.99), 2) + " s, max " +
          number(settled_at(1), 2) + " s (token_loss + 2 consensus: " + number(rest_bound_s(), 2) +
          " s)");
  text += "plans\n";
  for (const auto& [name, share] : plans_) {
    text += line(name, describe(share));
  }
  text += "inputs by the state they came in\n" + show_input_table(counts_);
  text += "counters\n";
  for (const auto& [name, value] : counts_) {
    if (!name.starts_with("input ")) text += line(name, std::to_string(value));
  }
  for (const std::string& name : missing()) {
    text += "no evidence, though " + std::to_string(evidence_seeds_min) +
            " seeds and more were run: " + name + "\n";
  }
  for (const auto& [invariant, times] : violations_) {
    text += "violated: " + invariant + ", " + std::to_string(times) + " times\n";
  }
  for (const Outcome& failure : failures_) {
    text += "violation of " + failure.first_violated +
            ", replay: " + replay_command(failure.options) + "\n";
  }
  if (!is_calm()) text += "violated: L6, calm rings change too often without a cause\n";
  text += failures_.empty() && is_calm() ? "no violations\n" : "";
  return text;
}

std::string CampaignReport::json() const {
  const auto share = [](const Share& what) {
    return nlohmann::ordered_json{
        {"seeds", what.seeds},
        {"simulated_hours", what.simulated_s / 3600},
        {"processor_seconds", what.processor_s},
        {"times_real_time_per_core", what.speed()}};
  };
  nlohmann::ordered_json report;
  report["first_seed"] = first_seed_;
  report["seeds"] = seeds();
  report["seconds"] = took_s_;
  report["busy"] = share(busy_);
  report["idle"] = share(idle_);
  for (const auto& [name, what] : plans_) {
    report["plans"][name] = share(what);
  }
  report["rest_seconds"] = {
      {"p50", settled_at(0.5)},
      {"p99", settled_at(0.99)},
      {"max", settled_at(1)},
      {"bound", rest_bound_s()}};
  report["counters"] = counts_;
  report["missing_evidence"] = missing();
  report["violations"] = violations_;
  report["failures"] = nlohmann::ordered_json::array();
  for (const Outcome& failure : failures_) {
    report["failures"].push_back(
        {{"invariant", failure.first_violated},
         {"replay", replay_command(failure.options)},
         {"text", failure.text}});
  }
  return report.dump(2) + "\n";
}

}  // namespace ringcast::sim
