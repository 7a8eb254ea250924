// SPDX-License-Identifier: Apache-2.0
//
// ringcast_sim: runs seeds of a plan and judges them. A failure prints the violated invariants
// and the command that replays it.
//
//   ringcast_sim --plan lossy --count 50
//   ringcast_sim --plan everything --seed 4711 --verbose
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "sim/seed_process.hpp"

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
  bool hash{false};
  bool twice{false};
  bool list{false};
  bool suite{false};
};

RunOptions options_of(const Arguments& arguments, std::uint64_t seed) {
  RunOptions options;
  options.plan = arguments.plan;
  options.seed = seed;
  options.verbose = arguments.verbose;
  options.overrides.nodes = arguments.nodes;
  if (arguments.duration_s) {
    options.overrides.fault_phase =
        Duration{static_cast<Duration::rep>(*arguments.duration_s * 1e9)};
  }
  return options;
}

std::string replay_command(const Arguments& arguments, std::uint64_t seed) {
  std::string text = "ringcast_sim --plan " + arguments.plan + " --seed " + std::to_string(seed);
  if (arguments.nodes) text += " --nodes " + std::to_string(*arguments.nodes);
  if (arguments.duration_s) text += " --duration " + std::to_string(*arguments.duration_s);
  return text + " --verbose";
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
    ++failed_;
    std::printf(
        "seed %llu FAILED\n%s    replay: %s\n",
        static_cast<unsigned long long>(outcome.options.seed),
        outcome.text.c_str(),
        replay_command(arguments_, outcome.options.seed).c_str());
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

int main_with(const Arguments& arguments) {
  if (arguments.list) {
    for (const Plan& plan : plans()) {
      std::printf("%-12s %s\n", plan.name.c_str(), plan.summary.c_str());
    }
    return 0;
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
  CLI::App app{"Runs seeds of a simulation plan and checks what the ring promises."};
  app.add_option("--plan", arguments.plan, "which faults happen; --list shows the plans");
  app.add_option("--seed", arguments.seed, "one seed");
  app.add_option("--seeds", arguments.seeds, "a range, FIRST..LAST");
  app.add_option("--count", arguments.count, "seeds 1..COUNT (20)");
  app.add_option("--nodes", arguments.nodes, "daemons, instead of what the seed says");
  app.add_option("--duration", arguments.duration_s, "seconds of faults, simulated");
  app.add_option("--jobs", arguments.jobs, "seeds at a time (1)")->check(CLI::Range(1, 64));
  app.add_option("--seed-limit", arguments.seed_limit_s, "real seconds one seed may take (120)");
  app.add_flag("--verbose", arguments.verbose, "the trace of every node, in virtual time");
  app.add_flag("--hash", arguments.hash, "a hash of all that happened, per seed");
  app.add_flag("--twice", arguments.twice, "run each seed twice and compare the hashes");
  app.add_flag("--suite", arguments.suite, "RINGCAST_SIM_SEEDS may lower --count");
  app.add_flag("--list", arguments.list, "name the plans");
  CLI11_PARSE(app, argc, argv);
  return ringcast::sim::main_with(arguments);
}
