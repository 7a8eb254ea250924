// SPDX-License-Identifier: Apache-2.0
//
// ringcast_sim: runs seeds of a plan and judges them. Each seed runs in a child process of its
// own, so that an assertion in the protocol is that seed's failure and not the end of the run.
// A failure prints the violated invariants and the command that replays it.
//
//   ringcast_sim --plan lossy --count 50
//   ringcast_sim --plan everything --seed 4711 --verbose
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "sim/simulation.hpp"

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

/// What a child tells its parent, as lines "key value" and, last, the failure text.
struct Outcome {
  std::uint64_t seed{0};
  bool ok{false};
  std::string text;
  std::string hash;
  double simulated_s{0};
  double settled_s{0};
  std::map<std::string, std::uint64_t> counts;
};

struct Child {
  std::uint64_t seed{0};
  pid_t pid{-1};
  int pipe{-1};
  std::string output;
};

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

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

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string run_here(const Arguments& arguments, std::uint64_t seed) {
  const RunResult result = run(options_of(arguments, seed));
  bool ok = result.report.ok();
  std::string failures;
  if (arguments.twice) {
    const RunResult again = run(options_of(arguments, seed));
    if (again.hash != result.hash) {
      ok = false;
      failures += "    P11  the same seed ran differently: " + hex(result.hash) + " and " +
                  hex(again.hash) + "\n";
    }
  }
  std::string text = "ok " + std::to_string(ok ? 1 : 0) + "\n";
  text += "hash " + hex(result.hash) + "\n";
  text += "simulated " + std::to_string(seconds_of(result.simulated)) + "\n";
  text += "settled " + std::to_string(seconds_of(result.settled_after)) + "\n";
  for (const auto& [name, value] : result.counts) {
    text += "count " + std::to_string(value) + " " + name + "\n";
  }
  text += "text\n";
  if (!ok) text += "    " + result.scenario + "\n";
  for (const Violation& violation : result.report.violations()) {
    text += "    " + violation.invariant + "  " + violation.what + "\n";
  }
  for (const auto& [invariant, count] : result.report.counts()) {
    if (count > 4) text += "    " + invariant + "  " + std::to_string(count) + " times in all\n";
  }
  return text + failures;
}

void write_all(int file, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t count = ::write(file, text.data() + at, text.size() - at);
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

Child start(const Arguments& arguments, std::uint64_t seed) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) {
    std::perror("pipe");
    std::exit(2);
  }
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    if (!arguments.verbose) ::dup2(ends[1], STDERR_FILENO);  // an assertion speaks there
    ::alarm(arguments.seed_limit_s);
    write_all(ends[1], run_here(arguments, seed));
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(ends[1]);
  return {.seed = seed, .pid = pid, .pipe = ends[0], .output = {}};
}

void parse_line(Outcome& outcome, const std::string& line) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos) return;
  const std::string key = line.substr(0, space);
  const std::string value = line.substr(space + 1);
  if (key == "ok") outcome.ok = value == "1";
  if (key == "hash") outcome.hash = value;
  if (key == "simulated") outcome.simulated_s = std::stod(value);
  if (key == "settled") outcome.settled_s = std::stod(value);
  if (key == "count") {
    const std::size_t gap = value.find(' ');
    outcome.counts[value.substr(gap + 1)] = std::stoull(value.substr(0, gap));
  }
}

Outcome judge(const Child& child, int status) {
  Outcome outcome;
  outcome.seed = child.seed;
  const std::size_t body = child.output.find("text\n");
  if (WIFSIGNALED(status) || body == std::string::npos) {
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.text = "    " + child.output +
                   (signal == SIGALRM ? "    took too long\n"
                                      : "    ended by signal " + std::to_string(signal) + "\n");
    return outcome;
  }
  std::size_t at = 0;
  while (at < body) {
    const std::size_t end = child.output.find('\n', at);
    parse_line(outcome, child.output.substr(at, end - at));
    at = end + 1;
  }
  outcome.text = child.output.substr(body + 5);
  return outcome;
}

class Runner {
 public:
  explicit Runner(Arguments arguments) : arguments_(std::move(arguments)) {}

  bool run(std::uint64_t first, std::uint64_t last) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t next = first;
    while (next <= last || !children_.empty()) {
      while (next <= last && children_.size() < arguments_.jobs) {
        children_.push_back(start(arguments_, next++));
      }
      wait_for_some();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    summarise(took.count());
    return has_evidence() && failed_ == 0;
  }

 private:
  void wait_for_some() {
    std::vector<pollfd> files;
    for (const Child& child : children_) {
      files.push_back({.fd = child.pipe, .events = POLLIN, .revents = 0});
    }
    ::poll(files.data(), files.size(), -1);
    for (std::size_t i = files.size(); i-- > 0;) {
      if (files[i].revents != 0) drain(i);
    }
  }

  void drain(std::size_t index) {
    char buffer[65536];
    const ssize_t count = ::read(children_[index].pipe, buffer, sizeof buffer);
    if (count > 0) {
      children_[index].output.append(buffer, static_cast<std::size_t>(count));
      return;
    }
    ::close(children_[index].pipe);
    int status = 0;
    ::waitpid(children_[index].pid, &status, 0);
    take(judge(children_[index], status));
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
  }

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
          static_cast<unsigned long long>(outcome.seed),
          outcome.hash.c_str());
    }
    if (outcome.ok) return;
    ++failed_;
    std::printf(
        "seed %llu FAILED\n%s    replay: %s\n",
        static_cast<unsigned long long>(outcome.seed),
        outcome.text.c_str(),
        replay_command(arguments_, outcome.seed).c_str());
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
  std::vector<Child> children_;
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
