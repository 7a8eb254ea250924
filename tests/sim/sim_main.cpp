// SPDX-License-Identifier: Apache-2.0
//
// ringcast_sim: runs seeds of a plan, or of all plans, and judges them. A failure prints the
// violated invariants and the command that replays it; it can be made smaller and kept as a story.
//
//   ringcast_sim --plan lossy --count 50
//   ringcast_sim --plan everything --seed 4711 --verbose
//   ringcast_sim --plan everything --seed 4711 --shrink
//   ringcast_sim --story everything-4711.story --verbose --packets
//   ringcast_sim campaign --minutes 60 --jobs 0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "sim/campaign.hpp"
#include "sim/story.hpp"

namespace ringcast::sim {
namespace {

struct Arguments {
  std::string plan{"baseline"};
  std::optional<std::uint64_t> seed;
  std::string seeds;
  std::uint64_t count{20};
  std::optional<std::size_t> nodes;
  std::optional<double> duration_s;
  unsigned jobs{1};
  unsigned seed_limit_s{120};
  bool verbose{false};
  bool packets{false};
  bool shrink{false};
  std::string story;
  std::string stories;
  std::string expect;
  std::string output{"."};
  bool hash{false};
  bool twice{false};
  bool list{false};
  bool suite{false};
};

struct CampaignArguments {
  std::optional<double> minutes;
  std::optional<std::uint64_t> seeds;
  std::optional<std::uint64_t> first_seed;
  unsigned jobs{0};
  unsigned seed_limit_s{120};
  std::string json;
  std::size_t shrink_failures{3};
  std::string output{"."};
};

RunOptions options_of(const Arguments& arguments, std::uint64_t seed) {
  RunOptions options;
  options.plan = arguments.plan;
  options.seed = seed;
  options.verbose = arguments.verbose;
  options.packets = arguments.verbose && arguments.packets;
  options.overrides.nodes = arguments.nodes;
  if (arguments.duration_s) {
    options.overrides.fault_phase =
        Duration{static_cast<Duration::rep>(*arguments.duration_s * 1e9)};
  }
  return options;
}

class Runner {
 public:
  explicit Runner(Arguments arguments) : arguments_(std::move(arguments)) {}

  bool run(std::uint64_t first, std::uint64_t last) {
    const auto begin = std::chrono::steady_clock::now();
    const PoolOptions pool{
        .jobs = arguments_.jobs,
        .seed_limit_s = arguments_.seed_limit_s,
        .twice = arguments_.twice};
    std::uint64_t seed = first;
    const auto next = [&]() -> std::optional<RunOptions> {
      if (seed > last) return std::nullopt;
      return options_of(arguments_, seed++);
    };
    run_pool(pool, next, [this](const Outcome& outcome) { take(outcome); });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    summarise(took.count());
    if (arguments_.shrink && failed_ > 0) {
      shrink_to_story(first_failure_, pool, arguments_.output);
    }
    return has_evidence() && failed_ == 0;
  }

 private:
  void take(const Outcome& outcome) {
    ++ran_;
    simulated_s_ += outcome.simulated_s;
    settled_max_s_ = std::max(settled_max_s_, outcome.settled_s);
    for (const auto& [name, value] : outcome.counts) {
      counts_[name] += value;
    }
    if (arguments_.hash) {
      std::printf(
          "seed %llu hash %s\n",
          static_cast<unsigned long long>(outcome.options.seed),
          outcome.hash.c_str());
    }
    if (outcome.ok) return;
    if (failed_++ == 0) first_failure_ = outcome;
    std::printf(
        "seed %llu FAILED\n%s    replay: %s\n",
        static_cast<unsigned long long>(outcome.options.seed),
        outcome.text.c_str(),
        replay_command(outcome.options).c_str());
    std::fflush(stdout);
  }

  void summarise(double took_s) const {
    std::printf(
        "plan %s: %llu seeds, %llu failed; %.1f s simulated in %.1f s; at rest at most %.2f s "
        "after the faults\n",
        arguments_.plan.c_str(),
        static_cast<unsigned long long>(ran_),
        static_cast<unsigned long long>(failed_),
        simulated_s_,
        took_s,
        settled_max_s_);
    for (const auto& [name, value] : counts_) {
      if (name.starts_with("input ")) continue;  // a table in a campaign's report
      std::printf("  %12llu  %s\n", static_cast<unsigned long long>(value), name.c_str());
    }
  }

  [[nodiscard]] bool has_evidence() const {
    if (ran_ < evidence_seeds_min) return true;
    bool all = true;
    for (const auto& name : find_plan(arguments_.plan)->evidence) {
      const auto found = counts_.find(name);
      if (found != counts_.end() && found->second > 0) continue;
      std::printf("no evidence: not one of \"%s\" in all these seeds\n", name.c_str());
      all = false;
    }
    return all;
  }

  Arguments arguments_;
  std::uint64_t ran_{0};
  std::uint64_t failed_{0};
  Outcome first_failure_;
  double simulated_s_{0};
  double settled_max_s_{0};
  std::map<std::string, std::uint64_t> counts_;
};

/// In the test suite RINGCAST_SIM_SEEDS, when set, is the number of seeds over all plans.
std::uint64_t seed_count(const Arguments& arguments) {
  const char* total = std::getenv("RINGCAST_SIM_SEEDS");
  if (!arguments.suite || total == nullptr) return arguments.count;
  const std::uint64_t share = std::strtoull(total, nullptr, 10) / plans().size() + 1;
  return std::min(share, arguments.count);
}

/// Each must hold all invariants; with an expectation, each must violate that one.
class StoryRunner {
 public:
  explicit StoryRunner(const Arguments& arguments) : arguments_(arguments) {}

  int run(const std::vector<std::string>& paths) {
    std::vector<RunOptions> runs;
    for (const std::string& path : paths) {
      const Result<Story> story = read_story(path);
      if (!story.ok()) {
        std::fprintf(stderr, "ringcast_sim: %s: %s\n", path.c_str(), story.error().message.c_str());
        return 2;
      }
      runs.push_back(story->options);
      runs.back().verbose = arguments_.verbose;
      runs.back().packets = arguments_.verbose && arguments_.packets;
    }
    std::size_t at = 0;
    const PoolOptions pool{
        .jobs = arguments_.jobs,
        .seed_limit_s = arguments_.seed_limit_s,
        .twice = arguments_.twice};
    run_pool(
        pool,
        [&]() -> std::optional<RunOptions> {
          return at < runs.size() ? std::optional{runs[at++]} : std::nullopt;
        },
        [this](const Outcome& outcome) { take(outcome); });
    std::printf("%zu stories, %zu not as expected\n", runs.size(), wrong_);
    return wrong_ == 0 ? 0 : 1;
  }

 private:
  void take(const Outcome& outcome) {
    const std::string& expect = arguments_.expect;
    const bool as_expected =
        expect.empty() ? outcome.ok
                       : outcome.first_violated == expect || outcome.violations.contains(expect);
    if (!as_expected) ++wrong_;
    if (as_expected && outcome.ok) return;
    std::printf(
        "plan %s seed %llu%s\n%s",
        outcome.options.plan.c_str(),
        static_cast<unsigned long long>(outcome.options.seed),
        as_expected ? ", as expected:" : " FAILED",
        outcome.ok ? ("    does not violate " + expect + "\n").c_str() : outcome.text.c_str());
  }

  const Arguments& arguments_;
  std::size_t wrong_{0};
};

std::vector<std::string> stories_in(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".story") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

int campaign_with(const CampaignArguments& arguments) {
  CampaignOptions options;
  options.minutes = arguments.minutes;
  options.seeds = arguments.seeds;
  if (!options.minutes && !options.seeds) options.minutes = 1;
  options.first_seed = arguments.first_seed.value_or(std::random_device{}());
  options.pool.jobs =
      arguments.jobs > 0 ? arguments.jobs : std::max(1U, std::thread::hardware_concurrency());
  options.pool.seed_limit_s = arguments.seed_limit_s;
  options.json_path = arguments.json;
  options.shrink_failures = arguments.shrink_failures;
  options.story_directory = arguments.output;
  return run_campaign(options) ? 0 : 1;
}

int main_with(const Arguments& arguments) {
  if (arguments.list) {
    for (const Plan& plan : plans()) {
      std::printf("%-12s %s\n", plan.name.c_str(), plan.summary.c_str());
    }
    return 0;
  }
  if (!arguments.story.empty()) return StoryRunner{arguments}.run({arguments.story});
  if (!arguments.stories.empty()) {
    return StoryRunner{arguments}.run(stories_in(arguments.stories));
  }
  if (find_plan(arguments.plan) == nullptr) {
    std::fprintf(stderr, "ringcast_sim: no plan '%s'; --list shows them\n", arguments.plan.c_str());
    return 2;
  }
  std::uint64_t first = 1;
  std::uint64_t last = seed_count(arguments);
  if (arguments.seed) first = last = *arguments.seed;
  const std::size_t dots = arguments.seeds.find("..");
  if (dots != std::string::npos) {
    first = std::strtoull(arguments.seeds.c_str(), nullptr, 10);
    last = std::strtoull(arguments.seeds.c_str() + dots + 2, nullptr, 10);
  }
  return Runner{arguments}.run(first, last) ? 0 : 1;
}

}  // namespace
}  // namespace ringcast::sim

int main(int argc, char** argv) {
  ringcast::sim::Arguments arguments;
  ringcast::sim::CampaignArguments campaign;
  CLI::App app{"Runs seeds of a simulation plan and checks what the ring promises."};
  app.add_option("--plan", arguments.plan, "which faults happen; --list shows the plans");
  app.add_option("--seed", arguments.seed, "one seed");
  app.add_option("--seeds", arguments.seeds, "a range, FIRST..LAST");
  app.add_option("--count", arguments.count, "seeds 1..COUNT (20)");
  app.add_option("--nodes", arguments.nodes, "daemons, instead of what the seed says");
  app.add_option("--duration", arguments.duration_s, "seconds of faults, simulated");
  app.add_option("--jobs", arguments.jobs, "seeds at a time (1)")->check(CLI::Range(1, 64));
  app.add_option(
      "--seed-limit", arguments.seed_limit_s, "processor seconds one seed may take (120)");
  app.add_flag("--verbose", arguments.verbose, "the trace of every node, in virtual time");
  app.add_flag("--packets", arguments.packets, "with --verbose: each packet, as an arrow");
  app.add_flag("--shrink", arguments.shrink, "make the first failure smaller and write a story");
  app.add_option("--output", arguments.output, "directory for stories (.)");
  app.add_option("--story", arguments.story, "run a story instead of a plan");
  app.add_option("--stories", arguments.stories, "run all stories of a directory")
      ->check(CLI::ExistingDirectory);
  app.add_option("--expect", arguments.expect, "stories must violate this invariant");
  app.add_flag("--hash", arguments.hash, "a hash of all that happened, per seed");
  app.add_flag("--twice", arguments.twice, "run each seed twice and compare the hashes");
  app.add_flag("--suite", arguments.suite, "RINGCAST_SIM_SEEDS may lower --count");
  app.add_flag("--list", arguments.list, "name the plans");
  CLI::App* all = app.add_subcommand("campaign", "seeds of all plans, and a report");
  all->add_option("--minutes", campaign.minutes, "how long (1, when --seeds is not given)");
  all->add_option("--seeds", campaign.seeds, "how many seeds");
  all->add_option("--first-seed", campaign.first_seed, "fresh when not given");
  all->add_option("--jobs", campaign.jobs, "seeds at a time (0: one per core)");
  all->add_option(
      "--seed-limit", campaign.seed_limit_s, "processor seconds one seed may take (120)");
  all->add_option("--json", campaign.json, "the report for programs, into this file");
  all->add_option("--shrink", campaign.shrink_failures, "failures to make smaller (3)");
  all->add_option("--output", campaign.output, "directory for stories (.)");
  CLI11_PARSE(app, argc, argv);
  if (all->parsed()) return ringcast::sim::campaign_with(campaign);
  return ringcast::sim::main_with(arguments);
}
