// SPDX-License-Identifier: Apache-2.0
//
// ringcast_mutants: the simulation on a protocol with known bugs in it, one of them chosen at
// run time. Shows that the checkers see each of them.
//
//   ringcast_mutants --list
//   ringcast_mutants --mutant M08 --seeds 1..1000
//   ringcast_mutants --all --table --jobs 2
//   ringcast_mutants --smoke --jobs 2
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mutants/hunt.hpp"
#include "mutants/mutant.hpp"

namespace ringcast::mutants {
namespace {

struct Arguments {
  std::string mutant;
  std::string plan;
  std::string seeds{"1..1000"};
  std::string from{"M01"};
  std::size_t kills{1};
  std::size_t ranges{5};
  HuntOptions hunt;
  bool list{false};
  bool all{false};
  bool table{false};
  bool smoke{false};
  bool hash{false};
};

unsigned long long shown(std::uint64_t number) { return number; }

std::string title(const Mutant& mutant) {
  char text[8];
  std::snprintf(text, sizeof text, "M%02d", mutant.number);
  return text;
}

Seeds seeds_of(const Arguments& arguments) {
  Seeds seeds;
  seeds.first = std::strtoull(arguments.seeds.c_str(), nullptr, 10);
  const std::size_t dots = arguments.seeds.find("..");
  seeds.last = dots == std::string::npos
                   ? seeds.first
                   : std::strtoull(arguments.seeds.c_str() + dots + 2, nullptr, 10);
  return seeds;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

/// The mutants asked for; ends the program when there is none of that name.
std::vector<Mutant> chosen_mutants(const Arguments& arguments) {
  std::vector<Mutant> found;
  for (const Mutant& mutant : catalogue()) {
    const bool wanted = arguments.mutant.empty() ? title(mutant) >= arguments.from
                                                 : title(mutant) == arguments.mutant;
    if (wanted) found.push_back(mutant);
  }
  if (found.empty()) {
    std::fprintf(stderr, "ringcast_mutants: no such mutant; --list shows them\n");
    std::exit(2);
  }
  return found;
}

void list_mutants() {
  for (const Mutant& mutant : catalogue()) {
    const std::set<std::string> killers(mutant.killers.begin(), mutant.killers.end());
    std::printf(
        "%s  %-28s %s (%s, plan %s)\n",
        title(mutant).c_str(),
        mutant.name.c_str(),
        mutant.what.c_str(),
        joined(killers).c_str(),
        mutant.plan.c_str());
  }
}

void print_rest(const HuntResult& result) {
  std::printf(
      "    %llu seeds, %llu ended in an assertion, %llu took too long; also broken:",
      shown(result.seeds),
      shown(result.assertions),
      shown(result.hangs));
  for (const auto& [name, count] : result.other) {
    std::printf(" %s (%llu)", name.c_str(), shown(count));
  }
  std::printf("\n");
}

bool hunt_each(const Arguments& arguments) {
  bool all_dead = true;
  for (const Mutant& mutant : chosen_mutants(arguments)) {
    const std::string& plan = arguments.plan.empty() ? mutant.plan : arguments.plan;
    const HuntResult result =
        hunt(mutant, plan, seeds_of(arguments), arguments.kills, arguments.hunt);
    for (const Kill& kill : result.kills) {
      std::printf(
          "%s %s killed by %s in seed %llu of %s (%s; %llu inputs)\n",
          title(mutant).c_str(),
          mutant.name.c_str(),
          kill.invariant.c_str(),
          shown(kill.seed),
          plan.c_str(),
          joined(kill.all).c_str(),
          shown(kill.inputs));
    }
    if (result.kills.empty()) {
      all_dead = false;
      std::printf("%s %s SURVIVED\n", title(mutant).c_str(), mutant.name.c_str());
    }
    print_rest(result);
    std::fflush(stdout);
  }
  return all_dead;
}

/// One row per mutant: seeds to the first kill, over independent ranges of seeds.
bool print_table(const Arguments& arguments) {
  constexpr std::uint64_t distance = 100000;
  const Seeds seeds = seeds_of(arguments);
  bool all_dead = true;
  std::printf("| mutant | what it does | killed by | seeds, median | most | plan |\n");
  std::printf("|---|---|---|---|---|---|\n");
  for (const Mutant& mutant : chosen_mutants(arguments)) {
    std::vector<std::uint64_t> needed;
    std::set<std::string> invariants;
    for (std::size_t i = 0; i < arguments.ranges; ++i) {
      const Seeds range{.first = seeds.first + i * distance, .last = seeds.last + i * distance};
      const HuntResult result = hunt(mutant, mutant.plan, range, 1, arguments.hunt);
      if (result.kills.empty()) continue;
      needed.push_back(result.kills.front().seed - range.first + 1);
      for (const std::string& name : mutant.killers) {
        if (result.kills.front().all.contains(name)) invariants.insert(name);
      }
    }
    std::sort(needed.begin(), needed.end());
    const bool is_dead = needed.size() == arguments.ranges;
    all_dead = all_dead && is_dead;
    // A range without a kill counts as more than any.
    const std::size_t middle = arguments.ranges / 2;
    const std::string more = "over " + std::to_string(seeds.last - seeds.first + 1);
    std::printf(
        "| %s | %s | %s | %s | %s | %s |\n",
        title(mutant).c_str(),
        mutant.what.c_str(),
        joined(invariants).c_str(),
        needed.size() > middle ? std::to_string(needed[middle]).c_str() : more.c_str(),
        is_dead ? std::to_string(needed.back()).c_str() : more.c_str(),
        mutant.plan.c_str());
    std::fflush(stdout);
  }
  return all_dead;
}

bool run_smoke(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Mutant> mutants = chosen_mutants(arguments);
  const auto kills = smoke(mutants, arguments.hunt);
  std::size_t dead = 0;
  for (const Mutant& mutant : mutants) {
    const auto& kill = kills.at(mutant.number);
    if (!kill) {
      std::printf("%s %s SURVIVED\n", title(mutant).c_str(), mutant.name.c_str());
      continue;
    }
    ++dead;
    const bool stale =
        std::find(mutant.quick.begin(), mutant.quick.end(), kill->seed) == mutant.quick.end();
    std::printf(
        "%s %-28s killed by %s in seed %llu of %s%s\n",
        title(mutant).c_str(),
        mutant.name.c_str(),
        kill->invariant.c_str(),
        shown(kill->seed),
        mutant.plan.c_str(),
        stale ? "; its quick seeds are out of date" : "");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%zu of %zu mutants killed in %.1f s\n", dead, mutants.size(), took.count());
  return dead == mutants.size();
}

/// With no mutant chosen: the lines of `ringcast_sim --hash`, which must be the same.
bool print_hashes(const Arguments& arguments) {
  Seeds seeds = seeds_of(arguments);
  bool ok = true;
  sim::run_pool(
      {.jobs = 1, .seed_limit_s = arguments.hunt.seed_limit_s, .twice = false},
      [&]() -> std::optional<sim::RunOptions> {
        if (seeds.first > seeds.last) return std::nullopt;
        sim::RunOptions run;
        run.plan = arguments.plan.empty() ? "everything" : arguments.plan;
        run.seed = seeds.first++;
        return run;
      },
      [&](const sim::Outcome& outcome) {
        ok = ok && outcome.ok;
        std::printf("seed %llu hash %s\n", shown(outcome.options.seed), outcome.hash.c_str());
      });
  return ok;
}

bool run_with(const Arguments& arguments) {
  if (arguments.list) {
    list_mutants();
    return true;
  }
  if (arguments.hash) return print_hashes(arguments);
  if (arguments.smoke) return run_smoke(arguments);
  if (arguments.table) return print_table(arguments);
  if (arguments.all || !arguments.mutant.empty()) return hunt_each(arguments);
  std::fprintf(stderr, "ringcast_mutants: what? --help tells\n");
  return false;
}

}  // namespace
}  // namespace ringcast::mutants

int main(int argc, char** argv) {
  ringcast::mutants::Arguments arguments;
  CLI::App app{"Runs the simulation on a protocol with planted bugs; the checkers must see them."};
  app.add_option("--mutant", arguments.mutant, "one mutant, as in M08");
  app.add_flag("--all", arguments.all, "every mutant");
  app.add_option("--from", arguments.from, "with --all: from this one on");
  app.add_option("--plan", arguments.plan, "instead of the mutant's own plan");
  app.add_option("--seeds", arguments.seeds, "a range, FIRST..LAST (1..1000)");
  app.add_option("--kills", arguments.kills, "stop at that many killing seeds (1)");
  app.add_option("--ranges", arguments.ranges, "with --table: ranges of seeds (5)")
      ->check(CLI::Range(1, 99));
  app.add_option("--jobs", arguments.hunt.jobs, "seeds at a time (1)")->check(CLI::Range(1, 64));
  app.add_option(
      "--seed-limit", arguments.hunt.seed_limit_s, "real seconds one seed may take (60)");
  app.add_flag("--table", arguments.table, "a Markdown table of seeds to the first kill");
  app.add_flag("--smoke", arguments.smoke, "each mutant's quick seeds; all must be killed");
  app.add_flag("--hash", arguments.hash, "no mutant: the hashes, as ringcast_sim --hash");
  app.add_flag("--list", arguments.list, "name the mutants");
  CLI11_PARSE(app, argc, argv);
  return ringcast::mutants::run_with(arguments) ? 0 : 1;
}
