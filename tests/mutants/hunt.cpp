// SPDX-License-Identifier: Apache-2.0
#include "mutants/hunt.hpp"

#include <algorithm>

#include "mutants/mutant.hpp"

namespace ringcast::mutants {

int chosen = 0;

namespace {

// Behind the quick seeds, which another simulator may have made stale.
constexpr std::uint64_t smoke_seeds_more = 200;

std::optional<Kill> kill_of(const Mutant& mutant, const sim::Outcome& outcome) {
  for (const std::string& invariant : mutant.killers) {
    if (!outcome.violations.contains(invariant)) continue;
    Kill kill{.seed = outcome.options.seed, .invariant = invariant, .all = {}, .inputs = 0};
    for (const auto& [name, count] : outcome.violations) {
      kill.all.insert(name);
    }
    const auto inputs = outcome.counts.find("inputs");
    if (inputs != outcome.counts.end()) kill.inputs = inputs->second;
    return kill;
  }
  return std::nullopt;
}

void count_failure(const sim::Outcome& outcome, HuntResult& result) {
  if (outcome.ok) return;
  if (outcome.violations.empty()) {
    const bool hung = outcome.text.find("took too long") != std::string::npos;
    ++(hung ? result.hangs : result.assertions);
  }
  for (const auto& [name, count] : outcome.violations) {
    ++result.other[name];
  }
}

}  // namespace

HuntResult hunt(
    const Mutant& mutant,
    const std::string& plan,
    Seeds seeds,
    std::size_t kills,
    const HuntOptions& options) {
  HuntResult result;
  chosen = mutant.number;  // each seed runs in a fork of this process
  std::uint64_t seed = seeds.first;
  const auto next = [&]() -> std::optional<sim::RunOptions> {
    if (seed > seeds.last || result.kills.size() >= kills) return std::nullopt;
    sim::RunOptions run;
    run.plan = plan;
    run.seed = seed++;
    return run;
  };
  const auto take = [&](const sim::Outcome& outcome) {
    ++result.seeds;
    if (auto kill = kill_of(mutant, outcome)) {
      result.kills.push_back(std::move(*kill));
    } else {
      count_failure(outcome, result);
    }
  };
  sim::run_pool(
      {.jobs = options.jobs, .seed_limit_s = options.seed_limit_s, .twice = false}, next, take);
  chosen = 0;
  // Seeds end in any order, but all below the last one that was started have run.
  std::sort(result.kills.begin(), result.kills.end(), [](const Kill& a, const Kill& b) {
    return a.seed < b.seed;
  });
  return result;
}

std::map<int, std::optional<Kill>> smoke(
    const std::vector<Mutant>& mutants, const HuntOptions& options) {
  std::map<int, std::optional<Kill>> kills;
  std::map<int, const Mutant*> by_number;
  for (const Mutant& mutant : mutants) {
    kills[mutant.number];
    by_number[mutant.number] = &mutant;
  }
  // In rounds, so that most mutants are dead before a second seed of any is begun.
  std::uint64_t round = 0;
  std::size_t at = 0;
  const auto next = [&]() -> std::optional<sim::RunOptions> {
    for (;; ++at) {
      if (at == mutants.size()) {
        at = 0;
        ++round;
        const bool all_dead = std::all_of(
            kills.begin(), kills.end(), [](const auto& entry) { return entry.second.has_value(); });
        if (all_dead) return std::nullopt;
      }
      if (round > smoke_seeds_more) return std::nullopt;
      const Mutant& mutant = mutants[at];
      if (kills[mutant.number]) continue;
      sim::RunOptions run;
      run.plan = mutant.plan;
      run.label = mutant.number;
      run.seed =
          round < mutant.quick.size() ? mutant.quick[round] : round - mutant.quick.size() + 1;
      chosen = mutant.number;
      ++at;
      return run;
    }
  };
  const auto take = [&](const sim::Outcome& outcome) {
    auto kill = kill_of(*by_number.at(outcome.options.label), outcome);
    auto& known = kills[outcome.options.label];
    if (kill && !known) known = std::move(kill);
  };
  sim::run_pool(
      {.jobs = options.jobs, .seed_limit_s = options.seed_limit_s, .twice = false}, next, take);
  chosen = 0;
  return kills;
}

}  // namespace ringcast::mutants
