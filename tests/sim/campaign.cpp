// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "protocol/base/assert.hpp"
#include "sim/shrink.hpp"

namespace ringcast::sim {

namespace {

std::atomic<bool> interrupted{false};

/// While it lives, Ctrl-C ends the campaign with its report; a second one ends the program.
class Interrupt {
 public:
  Interrupt() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &before_);
  }
  ~Interrupt() { ::sigaction(SIGINT, &before_, nullptr); }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  Interrupt(Interrupt&&) = delete;
  Interrupt& operator=(Interrupt&&) = delete;

 private:
  struct sigaction before_ {};
};

void print(const Outcome& outcome) {
  std::printf(
      "plan %s seed %llu FAILED\n%s    replay: %s\n",
      outcome.options.plan.c_str(),
      static_cast<unsigned long long>(outcome.options.seed),
      outcome.text.c_str(),
      replay_command(outcome.options).c_str());
  std::fflush(stdout);
}

Outcome run_one(PoolOptions pool, const RunOptions& options) {
  pool.jobs = 1;
  pool.injections = true;
  Outcome result;
  bool given = false;
  run_pool(
      pool,
      [&]() -> std::optional<RunOptions> {
        if (given) return std::nullopt;
        given = true;
        return options;
      },
      [&](const Outcome& outcome) { result = outcome; });
  return result;
}

bool violates(const Outcome& outcome, const std::string& invariant) {
  return outcome.first_violated == invariant || outcome.violations.contains(invariant);
}

}  // namespace

Turn turn_of(std::uint64_t number) {
  // A round has one seed of each plan; of calm_every rounds only the first has the long ones.
  std::uint64_t period = 0;
  for (const Plan& plan : plans()) {
    period += plan.pace.calm ? 1 : calm_every;
  }
  RC_ASSERT(period > 0);
  std::uint64_t offset = number / period * calm_every;
  number %= period;
  while (true) {
    for (const Plan& plan : plans()) {
      if (plan.pace.calm && offset % calm_every != 0) continue;
      if (number-- == 0) return {.plan = plan.name, .offset = offset};
    }
    ++offset;
  }
}

std::string replay_command(const RunOptions& options) {
  std::string text =
      "ringcast_sim --plan " + options.plan + " --seed " + std::to_string(options.seed);
  const Overrides& overrides = options.overrides;
  if (overrides.nodes) text += " --nodes " + std::to_string(*overrides.nodes);
  if (overrides.fault_phase) {
    text += " --duration " +
            std::to_string(std::chrono::duration<double>(*overrides.fault_phase).count());
  }
  return text + " --verbose";
}

bool run_campaign(const CampaignOptions& options) {
  using Clock = std::chrono::steady_clock;
  const Interrupt interrupt;
  std::printf(
      "campaign from seed %llu on, %u at a time; again: --first-seed %llu\n",
      static_cast<unsigned long long>(options.first_seed),
      options.pool.jobs,
      static_cast<unsigned long long>(options.first_seed));
  std::fflush(stdout);
  CampaignReport report{options.first_seed};
  const Clock::time_point begin = Clock::now();
  std::uint64_t number = 0;
  const auto next = [&]() -> std::optional<RunOptions> {
    const std::chrono::duration<double, std::ratio<60>> took = Clock::now() - begin;
    if (interrupted || (options.seeds && number >= *options.seeds)) return std::nullopt;
    if (options.minutes && took.count() >= *options.minutes) return std::nullopt;
    const Turn turn = turn_of(number++);
    RunOptions run;
    run.plan = turn.plan;
    run.seed = options.first_seed + turn.offset;
    return run;
  };
  run_pool(options.pool, next, [&](const Outcome& outcome) {
    report.add(outcome);
    if (!outcome.ok) print(outcome);
  });
  report.set_took(Clock::now() - begin);
  std::fputs(report.text().c_str(), stdout);
  if (!options.json_path.empty()) std::ofstream{options.json_path} << report.json();
  if (interrupted) std::puts("interrupted: this is the report of what was run");
  for (std::size_t i = 0; i < std::min(options.shrink_failures, report.failures().size()); ++i) {
    if (!interrupted) shrink_to_story(report.failures()[i], options.pool, options.story_directory);
  }
  return report.ok();
}

bool shrink_to_story(
    const Outcome& failure, const PoolOptions& pool, const std::string& directory) {
  Story story{.options = failure.options, .invariant = failure.first_violated};
  story.options.verbose = false;
  const Outcome recorded = run_one(pool, story.options);
  if (!violates(recorded, story.invariant)) {
    std::printf("shrink: %s did not fail again\n", replay_command(failure.options).c_str());
    return false;
  }
  const auto fails = [&](const Story& candidate) {
    return violates(run_one(pool, candidate.options), story.invariant);
  };
  Story scheduled = story;
  scheduled.options.overrides.schedule = recorded.injections;
  if (recorded.fault_phase > Duration{0}) {
    scheduled.options.overrides.fault_phase = recorded.fault_phase;
  }
  if (fails(scheduled)) {
    story = scheduled;
  } else {
    std::puts("shrink: what was done to it alone does not make it fail; its operations stay");
  }
  std::printf("shrinking %s\n", describe(story).c_str());
  std::fflush(stdout);
  const std::size_t nodes = recorded.nodes > 0 ? recorded.nodes : 9;
  const std::size_t clients = recorded.nodes > 0 ? recorded.clients : 4 * nodes;
  const Shrunk shrunk = shrink(story, nodes, clients, fails, {});
  const std::string path =
      directory + "/" + story.options.plan + "-" + std::to_string(story.options.seed) + ".story";
  std::ofstream{path} << "# " << story.invariant
                      << " is violated. Found by: " << replay_command(failure.options) << "\n"
                      << to_text(shrunk.story);
  std::printf(
      "shrunk in %zu runs to %s\n    ringcast_sim --story %s --verbose --packets\n",
      shrunk.runs,
      describe(shrunk.story).c_str(),
      path.c_str());
  return true;
}

}  // namespace ringcast::sim
