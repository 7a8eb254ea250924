// SPDX-License-Identifier: Apache-2.0
//
// ringcast_check: judges what clients of real daemons recorded by the simulator's checkers, and
// tells the figures. Exits 0 when no invariant is broken, 1 when one is, 2 when a file cannot be
// read.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "campaign/figures.hpp"
#include "campaign/judge.hpp"

namespace ringcast::campaign {
namespace {

void show(const char* what, const std::map<std::string, std::size_t>& counts) {
  std::printf("%s:", what);
  for (const auto& [name, count] : counts) {
    std::printf("\n  %8zu  %s", count, name.c_str());
  }
  std::printf("%s\n", counts.empty() ? " none" : "");
}

void show(const char* what, const ViewChanges& changes) {
  if (changes.seconds.empty()) {
    std::printf("%s: no samples\n", what);
    return;
  }
  std::printf(
      "%s: %zu samples, p50 %.3f s, p99 %.3f s, max %.3f s; %zu clients ended before\n",
      what,
      changes.seconds.size(),
      changes.quantile(0.5),
      changes.quantile(0.99),
      changes.quantile(1),
      changes.unanswered);
}

void show(const Figures& figures) {
  std::printf(
      "sessions %zu, published %zu, confirmed %zu, received %zu (%zu transitional)\n",
      figures.sessions,
      figures.published,
      figures.confirmed,
      figures.received,
      figures.received_transitional);
  std::printf("configurations %zu\n", figures.configurations);
  show("views", figures.views);
  show("faults", figures.faults);
  show("sessions ended", figures.endings);
  show("SIGKILL to network view, kills alone", figures.alone);
  show("SIGKILL to network view, all kills", figures.together);
  std::printf(
      "configurations without a fault before them: %zu in %.0f quiet seconds\n",
      figures.spurious,
      figures.quiet_seconds);
}

int show(const Verdict& verdict) {
  std::printf("judged:");
  for (const std::string& invariant : verdict.judged) {
    std::printf(" %s", invariant.c_str());
  }
  std::printf(
      "\ndaemons' orders as their witnesses saw them: %zu of %zu configurations, %zu deliveries;"
      " %zu stable confirmations\n",
      verdict.witnessed_configurations,
      verdict.configurations,
      verdict.witnessed_deliveries,
      verdict.stable_confirmations);
  show("violations", verdict.violations);
  for (const sim::Violation& violation : verdict.told) {
    std::printf("%s %s\n", violation.invariant.c_str(), violation.what.c_str());
  }
  return verdict.violations.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  CLI::App app{"Judges the records of a campaign on real daemons"};
  std::vector<std::string> paths;
  app.add_option("FILE", paths, "records of ringcast_recorder and the campaign's log")->required();
  CLI11_PARSE(app, argc, argv);
  Recording recording = load(paths);
  for (const std::string& problem : recording.problems) {
    std::fprintf(stderr, "ringcast_check: %s\n", problem.c_str());
  }
  if (!recording.problems.empty()) return 2;
  std::printf(
      "%s\n",
      recording.settled ? "settled: the final state is judged too"
                        : "not settled: the final state is not judged");
  show(measure(recording));
  return show(judge(std::move(recording)));
}

}  // namespace
}  // namespace ringcast::campaign

int main(int argc, char** argv) { return ringcast::campaign::run(argc, argv); }
