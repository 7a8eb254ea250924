// SPDX-License-Identifier: Apache-2.0
//
// Workload: seeded clients. Each slot is a person with a program: connects somewhere, joins and
// leaves groups, publishes, stalls, goes away with or without a word, comes back. After stop()
// nothing new is asked and everybody reads, so that the run can settle.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "sim/client.hpp"
#include "sim/cluster.hpp"
#include "sim/random.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {

/// Weights are relative to each other.
struct WorkloadOptions {
  std::size_t clients{6};
  std::size_t groups{4};
  Duration think{std::chrono::milliseconds{8}};  ///< mean time between a client's actions
  double publish{70};
  double burst{4};  ///< a row of publishes at once
  double join{10};
  double leave{6};
  double ask{3};
  double goodbye{1};
  double hang_up{1};
  double stall{0};       ///< stops reading for a while
  double oversize{0.3};  ///< one byte more than the daemon takes
  double hostile{0.2};   ///< garbage instead of a frame
  double safe_share{0.25};
  double large_share{0.02};  ///< up to large_bytes_max
  std::size_t large_bytes_max{std::size_t{150} << 10U};
  Duration stall_max{std::chrono::seconds{2}};
  double cut_frame{0};          ///< goes after some bytes of a frame
  std::uint64_t burst_max{40};  ///< publishes in a row
  Duration storm_interval{0};   ///< everybody goes and comes back at once; 0: never
  Duration active{0};           ///< mean time of work between idle stretches; 0: always works
  Duration idle{std::chrono::seconds{1}};
  std::uint64_t tickets_before{0};  ///< a session's first ticket is the one after
};

class Workload {
 public:
  Workload(Cluster& cluster, Recorder& recorder, WorkloadOptions options, Random random);

  void start();
  void stop();
  /// Every open session has its answers and nothing is under way.
  [[nodiscard]] bool is_quiet() const;
  /// For a report: the first session that is not quiet, or empty.
  [[nodiscard]] std::string first_unquiet() const;
  [[nodiscard]] std::size_t published() const { return published_; }

 private:
  struct Slot {
    std::size_t number{0};
    SimClient* client{nullptr};
    std::size_t host{0};
  };

  void schedule(Slot& slot);
  void act(Slot& slot);
  void connect(Slot& slot);
  void act_connected(SimClient& client);
  void publish(SimClient& client);
  void join(SimClient& client);
  void leave(SimClient& client);
  void ask(SimClient& client);
  void stall(SimClient& client);
  void hostile(SimClient& client);
  void cut_frame(SimClient& client);
  void storm();
  void rest(bool is_idle);
  std::string some_group();
  std::string destination();
  std::size_t size();

  Cluster& cluster_;
  Recorder& recorder_;
  WorkloadOptions options_;
  Random random_;
  bool stopped_{false};
  bool is_idle_{false};
  std::size_t published_{0};
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<SimClient>> clients_;  ///< all that ever were
};

}  // namespace ringcast::sim
