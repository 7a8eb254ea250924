// SPDX-License-Identifier: Apache-2.0
//
// PartialPhase: some directed links are cut for good, all else works, and what the daemons make of
// it is judged.
//
// L5 within three rounds (of token loss and consensus time) from the time after which a member that
//    cannot receive must be noticed, nothing changes any more,
//    every daemon serves its clients, and each regular configuration that is installed meanwhile
//    holds only daemons of which every pair hears each other. A ring that works on over a cut link
//    is left alone: it need not break.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "sim/checkers/report.hpp"
#include "sim/cluster.hpp"
#include "sim/random.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {

struct PartialOptions {
  std::vector<std::pair<std::size_t, std::size_t>> cuts;  ///< from, to
  std::vector<std::size_t> restarts;  ///< hosts that crash and return after the cut
  Duration watch{std::chrono::seconds{60}};
};

/// One or two cuts among three daemons, up to a third of all links among more.
PartialOptions draw_partial(std::size_t hosts, Random random);
std::string describe(const PartialOptions& options);

class PartialPhase {
 public:
  PartialPhase(Cluster& cluster, const Recorder& recorder, PartialOptions options)
      : cluster_(cluster), recorder_(recorder), options_(std::move(options)) {}

  /// Cuts and crashes now. Returns until when the cluster is to run.
  Instant begin();
  void judge(Report& report) const;

 private:
  [[nodiscard]] bool is_linked(NodeId a, NodeId b) const;
  void judge_install(ProcessIndex process, const Installed& change, Report& report) const;

  Cluster& cluster_;
  const Recorder& recorder_;
  PartialOptions options_;
  Instant begun_;    ///< all is cut, nothing stands still any more
  Instant at_rest_;  ///< nothing may change from here on
  Instant end_;
};

}  // namespace ringcast::sim
