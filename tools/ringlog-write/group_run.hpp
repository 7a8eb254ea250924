// SPDX-License-Identifier: Apache-2.0
//
// GroupRun: one group of a configuration at work: its Writer in a thread of its own, whose file
// is the journal, and the sinks behind that.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/common/exit_codes.hpp"
#include "tools/common/json.hpp"
#include "tools/ringlog-write/config/writer_config.hpp"
#include "tools/ringlog-write/sinks/interruption.hpp"
#include "tools/ringlog-write/sinks/journal.hpp"
#include "tools/ringlog-write/sinks/sink_runner.hpp"
#include "tools/ringlog-write/writer.hpp"

namespace ringcast::ringlog {

struct GroupRunOptions {
  GroupConfig group;
  ClientOptions client;
  std::chrono::milliseconds connect_timeout{5000};
  bool json{false};              ///< the writer's summary, on stdout
  std::function<void()> on_end;  ///< the writer ended by itself; from its thread
};

class GroupRun {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts at once.
  GroupRun(GroupRunOptions options, const std::vector<SinkConfig>& sinks);
  GroupRun(const GroupRun&) = delete;
  GroupRun& operator=(const GroupRun&) = delete;
  /// Ends the sinks after their batches at hand.
  ~GroupRun();

  /// Goes on with these sinks: equal ones are asked to open their files again, others end or begin.
  void set_sinks(const std::vector<SinkConfig>& sinks);
  /// Asks the writer to end; end_writer() waits for it.
  void stop();
  tools::ExitCode end_writer();
  /// The writer has ended.
  [[nodiscard]] bool is_over() const { return is_over_; }
  /// Lets the sinks take what is in the journal, until the deadline, and ends them.
  void end_sinks(Clock::time_point deadline);

  [[nodiscard]] const GroupConfig& config() const { return options_.group; }
  /// Of the writer.
  [[nodiscard]] tools::Json figures() const;
  /// One object per sink.
  [[nodiscard]] tools::Json status() const;

 private:
  struct Work {
    SinkConfig config;
    std::unique_ptr<SinkRunner> runner;
  };
  [[nodiscard]] Work make_work(const SinkConfig& config);

  GroupRunOptions options_;
  Journal journal_;
  FiguresBoard figures_;
  Interruption stop_;
  std::atomic<bool> is_over_{false};
  tools::ExitCode code_{tools::ExitCode::done};
  std::vector<Work> sinks_;
  std::thread thread_;
};

}  // namespace ringcast::ringlog
