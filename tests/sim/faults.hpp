// SPDX-License-Identifier: Apache-2.0
//
// Faults: breaks links and machines on a seeded schedule, and mends everything when told. Many
// faults are aimed: in the middle of an output, or at a moment of the protocol (aim.hpp), where
// schedules by the clock seldom hit.
//
// Whatever it decides, it does by operations in words (injection.hpp) and writes them down; with
// a schedule it decides nothing and performs that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/aim.hpp"
#include "sim/cluster.hpp"
#include "sim/evidence.hpp"
#include "sim/injection.hpp"
#include "sim/random.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {

enum class Fault : std::uint8_t {
  // Links.
  loss,           ///< single packets, independently
  burst,          ///< rows of packets
  selective,      ///< one type of packet, or what is long, as a middlebox would
  duplication,    ///< copies, some ten token timeouts after the original
  reorder,        ///< packets overtake each other
  delay,          ///< slow links with a heavy tail
  delay_step,     ///< a path that is suddenly longer, or shorter
  corruption,     ///< bits flip, tails are cut, lengths lie
  partition,      ///< sides that do not hear each other
  one_way,        ///< links that carry one direction only
  nontransitive,  ///< A and B hear C, but not each other
  flap,           ///< links that go up and down about as fast as a timer
  bandwidth,      ///< links with a rate, a queue, and no more
  black_hole,     ///< links that drop long packets
  strangers,      ///< others on our port
  replay,         ///< what was sent long ago comes again
  // Machines.
  pause,         ///< stopped for a while, then everything at once
  crash,         ///< kill and restart, at any step of an output
  storage_loss,  ///< a restart finds nothing, or an older value, or another machine's
  clock,         ///< clocks that are too fast or slow, and jump ahead
  slow_node,     ///< up to 100 times the processor time
  overflow,      ///< small receive buffers
  send_errors,   ///< sends that the kernel refuses
  limits,        ///< small windows, queues and messages
  disk,          ///< writes that take long or fail
  leave,         ///< clean leave and return
  rolling,       ///< one after the other, all leave and return
  reload,        ///< daemons are taken out of some configurations, and put back
  recovery,      ///< what a recovery cannot bring back, and its end before it is done
  skew,          ///< machines configured differently
  timing,        ///< timeouts as short as is allowed
  counters,      ///< numbers close to where shorter integers wrap, or to their own end
  // Clients.
  slow_client,   ///< do not read
  cut_frame,     ///< go in the middle of a frame
  storm,         ///< all go and come back at once
  client_churn,  ///< come and go
  hostile,       ///< send what is no frame, or too much
  client_burst,  ///< publish as much as is taken, at once
};

/// All of them, in this order.
const std::vector<Fault>& all_faults();
std::string_view to_string(Fault fault);

struct FaultOptions {
  std::set<Fault> on;
  LinkFaults links;                                        ///< of every link while faults last
  Duration mean_interval{std::chrono::milliseconds{600}};  ///< between faults of machines or cuts
  double aimed_share{0.7};  ///< of these: at a moment of the protocol, not of the clock
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
  /// What was seen to happen: counts by the names of evidence_table().
  void add_evidence(std::map<std::string, std::uint64_t>& counts);

 private:
  void perform(const std::string& what);
  void perform_schedule();
  /// Runs `action` then, unless the faults have ended.
  void later(Duration delay, std::function<void()> action);
  void schedule();
  void inject();
  void inject_link_fault(Fault fault);
  void inject_machine_fault(Fault fault);
  void on_trace(std::size_t host, const TraceEvent& event);
  void on_moment(std::size_t host, Moment moment, unsigned number);

  // faults_links.cpp
  void partition();
  void one_way();
  void nontransitive();
  void flap();
  void toggle(std::size_t from, std::size_t to, unsigned times, Duration period);
  void black_hole();
  void selective();
  void delay_step();
  void bandwidth();
  void stranger();
  void replay();
  /// Sets the knob for some time, on one link or on all of one machine.
  void set_knob(const std::string& name, const std::string& value);
  [[nodiscard]] std::string link_name(std::size_t from, std::size_t to) const;
  std::string some_links();

  // faults_recovery.cpp
  void recovery();
  void break_off(std::size_t host);

  // faults_machines.cpp
  void crash();
  void leave();
  void rolling(std::size_t host, std::size_t left);
  void pause();
  void clock();
  void slow_node();
  void disk();
  void send_errors();
  void overflow();
  void reload();
  void restart_after(std::size_t host, Duration delay);

  /// From much shorter than any timeout to a few of them.
  Duration some_time();
  Storage storage();
  /// The machine that a fault was aimed at, or its neighbour, or any.
  std::size_t target();
  std::size_t other_than(std::size_t host);

  Cluster& cluster_;
  Recorder& recorder_;
  FaultOptions options_;
  Random random_;
  bool stopped_{false};
  Instant begin_;
  std::vector<Injection> injections_;
  std::vector<Storage> storage_at_the_end_;  ///< of each machine that is down then
  std::vector<Fault> timed_;
  Aims aims_;
  std::optional<std::size_t> aimed_at_;
  std::uint64_t breaks_left_{0};  ///< of the recovery that a fault provoked
  Evidence evidence_;
};

}  // namespace ringcast::sim
