// SPDX-License-Identifier: Apache-2.0
#include "client/report.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace ringcast::bench {
namespace {

nlohmann::json describe(const Latencies& latencies) {
  const auto microseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::micro>(time).count();
  };
  return {
      {"count", latencies.count()},
      {"p50", microseconds(latencies.percentile(0.5))},
      {"p99", microseconds(latencies.percentile(0.99))},
      {"p99.9", microseconds(latencies.percentile(0.999))},
      {"max", microseconds(latencies.max())}};
}

}  // namespace

void report(const Outcome& outcome, const Verifier& verifier) {
  const nlohmann::json line{
      {"event", "done"},
      {"seconds", outcome.seconds},
      {"delivered", outcome.delivered},
      {"delivered_in_all", verifier.delivered()},
      {"sent", outcome.sent},
      {"processor_seconds", outcome.processor_seconds},
      {"membership_changes", outcome.membership_changes},
      {"latency_us", describe(outcome.latencies)},
      {"own_latency_us", describe(outcome.own_latencies)},
      {"complete", verifier.is_complete()},
      {"missing", verifier.missing()},
      {"repeated", verifier.repeated()},
      {"spoiled", verifier.spoiled()},
      {"order", verifier.order()}};
  std::cout << line.dump() << std::endl;
}

}  // namespace ringcast::bench
