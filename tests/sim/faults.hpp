// SPDX-License-Identifier: Apache-2.0
//
// Faults: breaks links and machines on a seeded schedule, and mends everything when told. Many
// faults are aimed: in the middle of an output, or just after a node entered a state, where
// schedules by the clock seldom hit.
//
// Whatever it decides, it does by operations in words (injection.hpp) and writes them down; with
// a schedule it decides nothing and performs that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/injection.hpp"
#include "sim/random.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {

enum class Fault : std::uint8_t {
  loss,          ///< single packets, independently
  burst,         ///< rows of packets
  duplication,   ///< copies, some long after the original
  reorder,       ///< packets overtake each other
  delay,         ///< slow links with a heavy tail
  corruption,    ///< bits flip, tails are cut
  partition,     ///< sides that do not hear each other
  one_way,       ///< links that carry one direction only
  flap,          ///< links that go up and down
  black_hole,    ///< links that drop long packets
  crash,         ///< kill and restart
  storage_loss,  ///< a restart finds nothing, or an older value
  leave,         ///< clean leave and return
  pause,         ///< stopped for a while, then everything at once
  overflow,      ///< small receive buffers
  slow_client,   ///< clients that do not read
  client_churn,  ///< clients that come and go
};

std::string_view to_string(Fault fault);

struct FaultOptions {
  std::set<Fault> on;
  LinkFaults links;                                        ///< of every link while faults last
  Duration mean_interval{std::chrono::milliseconds{600}};  ///< between faults of machines or cuts
  double aimed_share{0.03};  ///< of state changes that are followed by a fault at once
  Duration token_loss{std::chrono::milliseconds{400}};
  std::vector<std::string> at_start;  ///< operations performed when the faults begin
  /// Performed instead of all that.
  std::optional<std::vector<Injection>> schedule;
};

class FaultInjector {
 public:
  FaultInjector(Cluster& cluster, Recorder& recorder, FaultOptions options, Random random);

  void start();
  /// Mends links, resumes and restarts machines; no fault happens afterwards.
  void stop();
  /// What was done so far, in order.
  [[nodiscard]] const std::vector<Injection>& injections() const { return injections_; }

 private:
  void perform(const std::string& what);
  void perform_schedule();
  /// Runs `action` then, unless the faults have ended.
  void later(Duration delay, std::function<void()> action);
  void schedule();
  void inject();
  void partition();
  void one_way();
  void flap();
  void toggle(std::size_t from, std::size_t to, unsigned times);
  [[nodiscard]] std::string link_name(std::size_t from, std::size_t to) const;
  void black_hole();
  void crash();
  void leave();
  void pause();
  void restart_after(std::size_t host, Duration delay);
  Duration some_time();
  Storage storage();
  void on_trace(std::size_t host, const TraceEvent& event);

  Cluster& cluster_;
  Recorder& recorder_;
  FaultOptions options_;
  Random random_;
  bool stopped_{false};
  Instant begin_;
  std::vector<Injection> injections_;
  std::vector<Storage> storage_at_the_end_;  ///< of each machine that is down then
  std::vector<Fault> timed_;
  std::set<std::size_t> doomed_;  ///< crash when they next enter a state
};

}  // namespace ringcast::sim
