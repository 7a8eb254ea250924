// SPDX-License-Identifier: Apache-2.0
//
// One step is one look at each of the totals.
#include "tools/ringlog-monitor/figures/alerts.hpp"

#include <algorithm>
#include <cmath>

namespace ringcast::monitor {

namespace {

constexpr double step_seconds = 10;
constexpr double half_life_seconds = 300;
constexpr int steps_before = 12;
constexpr double deviations = 4;
// After a longer pause (of an old log, of a host that slept) all is learnt anew.
constexpr std::chrono::hours pause_max{1};

void learn(double& mean, double& variance, int steps, double rate) {
  static const double usual = 1 - std::exp2(-step_seconds / half_life_seconds);
  const double weight = std::max(usual, 1.0 / (steps + 1));
  const double difference = rate - mean;
  mean += weight * difference;
  variance = (1 - weight) * (variance + (weight * difference * difference));
}

}  // namespace

std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::requests:
      return "requests";
    case Signal::errors:
      return "errors";
  }
  return "";
}

std::string_view to_string(Change change) {
  switch (change) {
    case Change::high:
      return "high";
    case Change::low:
      return "low";
    case Change::over:
      return "over";
  }
  return "";
}

std::vector<Alert> Alerts::advance(Instant now, const Figures& figures) {
  std::vector<Alert> out;
  if (!next_ || now - *next_ > pause_max) {
    forget(figures);
    next_ = now + step;
  }
  for (; now >= *next_; *next_ += step) {
    const auto look_at = [&](const std::string& name, const ServerFigures& server) {
      look({name, Signal::requests}, server.total.requests, *next_, out);
      look({name, Signal::errors}, server.total.errors, *next_, out);
    };
    look_at("", figures.all());
    // One server is all of them.
    if (figures.servers().all().size() < 2) continue;
    for (const auto& [name, server] : figures.servers().all()) {
      look_at(name, server);
    }
  }
  return out;
}

void Alerts::forget(const Figures& figures) {
  watches_.clear();
  watches_[{"", Signal::requests}].total = figures.all().total.requests;
  watches_[{"", Signal::errors}].total = figures.all().total.errors;
}

void Alerts::look(const Key& key, std::uint64_t total, Instant at, std::vector<Alert>& out) {
  const auto [found, is_new] = watches_.try_emplace(key);
  auto& watch = found->second;
  if (is_new) watch.total = total;
  const double rate = static_cast<double>(total - watch.total) / step_seconds;
  watch.total = total;
  if (const auto change = judge(watch, key.second, rate)) {
    out.push_back(Alert{at, key.first, key.second, *change, rate, watch.mean});
    watch.alert.reset();
    if (*change != Change::over) watch.alert = out.back();
  }
  learn(watch.mean, watch.variance, watch.steps, rate);
  ++watch.steps;
}

std::optional<Change> Alerts::judge(const Watch& watch, Signal signal, double rate) const {
  if (watch.alert) {
    const double margin = std::sqrt(options_.factor);
    const bool is_high = watch.alert->change == Change::high;
    const bool is_over = is_high ? rate <= watch.mean * margin : rate >= watch.mean / margin;
    return is_over ? std::optional(Change::over) : std::nullopt;
  }
  if (watch.steps < steps_before) return std::nullopt;
  const double expected = watch.mean * step_seconds;
  const double deviation = step_seconds * std::sqrt(watch.variance);
  const double chance = std::max(
      deviations * std::max(deviation, std::sqrt(expected)),
      options_.difference_min * step_seconds);
  const double difference = (rate * step_seconds) - expected;
  if (rate >= options_.factor * watch.mean && difference >= chance) return Change::high;
  const bool is_low = rate <= watch.mean / options_.factor && -difference >= chance;
  if (is_low && signal == Signal::requests) return Change::low;
  return std::nullopt;
}

std::vector<Alert> Alerts::current() const {
  std::vector<Alert> alerts;
  for (const auto& [key, watch] : watches_) {
    if (watch.alert) alerts.push_back(*watch.alert);
  }
  return alerts;
}

}  // namespace ringcast::monitor
