// SPDX-License-Identifier: Apache-2.0
//
// Campaign: seeds of all plans in a fair mix, for so many seeds or minutes, and a report of what
// they covered. The long plans come once in `calm_every` rounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/seed_process.hpp"

namespace ringcast::sim {

inline constexpr std::uint64_t calm_every = 4;

/// The k-th run of a campaign: which plan, and how far from the first seed.
struct Turn {
  std::string plan;
  std::uint64_t offset{0};
};
Turn turn_of(std::uint64_t number);

/// What some plans' seeds added up to.
struct Share {
  std::uint64_t seeds{0};
  double simulated_s{0};
  double processor_s{0};

  [[nodiscard]] double speed() const { return processor_s > 0 ? simulated_s / processor_s : 0; }
};

class CampaignReport {
 public:
  explicit CampaignReport(std::uint64_t first_seed) : first_seed_(first_seed) {}

  void add(const Outcome& outcome);
  void set_took(std::chrono::duration<double> took) { took_s_ = took.count(); }

  [[nodiscard]] std::uint64_t seeds() const { return busy_.seeds + idle_.seeds; }
  [[nodiscard]] const std::vector<Outcome>& failures() const { return failures_; }
  /// Lines of a plan's evidence that stayed at zero although enough of its seeds were run.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// L6 over all calm rings: the mean, once there are hours enough to tell.
  [[nodiscard]] bool is_calm() const;
  [[nodiscard]] bool ok() const { return failures_.empty() && missing().empty() && is_calm(); }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string json() const;

 private:
  [[nodiscard]] std::uint64_t count(const std::string& name) const;
  [[nodiscard]] double settled_at(double share) const;

  std::uint64_t first_seed_;
  double took_s_{0};
  Share busy_;
  Share idle_;
  std::map<std::string, Share> plans_;
  std::map<std::string, std::uint64_t> counts_;
  std::map<std::string, std::map<std::string, std::uint64_t>> plan_counts_;
  std::map<std::string, std::uint64_t> violations_;
  std::vector<double> settled_s_;
  std::vector<Outcome> failures_;
};

struct CampaignOptions {
  std::optional<double> minutes;
  std::optional<std::uint64_t> seeds;
  std::uint64_t first_seed{1};
  PoolOptions pool;
  std::string json_path;           ///< empty: none
  std::size_t shrink_failures{3};  ///< that many of the first
  std::string story_directory{"."};
};

/// Prints failures as they come, and the report. False: violations, or missing evidence.
bool run_campaign(const CampaignOptions& options);

/// The command that runs a seed again.
std::string replay_command(const RunOptions& options);

/// Makes the failing run smaller and writes it to a story. Says on stdout what it does.
bool shrink_to_story(const Outcome& failure, const PoolOptions& pool, const std::string& directory);

}  // namespace ringcast::sim
