// SPDX-License-Identifier: Apache-2.0
//
// SinkRunner: one sink at work, in a thread of its own: reads the journal behind the writer,
// applies the sink's rules, hands it batches, and tries again with growing pauses when it
// fails. A sink that is slow or broken lags behind, and nobody else notices.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tools/ringlog-write/sinks/journal.hpp"
#include "tools/ringlog-write/sinks/line_rules.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

struct SinkRunnerOptions {
  std::string name;
  LineRuleOptions rules;
  bool from_end{false};  ///< a sink that never had a position begins with what comes from now on
  std::size_t batch_bytes{std::size_t{1} << 20U};
  std::function<void(const std::string&)> tell;
};

/// Figures since the start, but for the position.
struct SinkFigures {
  std::uint64_t lines{0};     ///< that the sink took
  std::uint64_t bytes{0};     ///< of the journal behind which it is
  std::uint64_t left_out{0};  ///< by its rules
  std::uint64_t errors{0};    ///< tries that failed
  std::uint64_t position{0};
  std::uint64_t lag_bytes{0};
  double lag_s{0};      ///< age of the oldest line that it does not have
  std::string trouble;  ///< the last error, while it lasts
};

class SinkRunner {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts at once. `journal` outlives it.
  SinkRunner(std::unique_ptr<Sink> sink, Journal& journal, SinkRunnerOptions options);
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;
  /// Ends after the batch at hand.
  ~SinkRunner();

  /// Asks for Sink::reopen(), and for another try when it waits for one.
  void reopen();
  /// Ends once it has all that is kept, when that fails, or at the deadline. Returns at once.
  void finish(Clock::time_point deadline);
  /// Waits for that. REQUIRES: finish() was called.
  void wait_end();
  [[nodiscard]] SinkFigures figures() const;
  [[nodiscard]] const std::string& name() const { return options_.name; }

 private:
  void run();
  Result<void> step();
  Result<void> prepare();
  void tell_cut(std::uint64_t bytes);
  Result<void> take_batch();
  Result<void> take_jump(const FileJump& jump);
  Result<void> go_on_at(std::uint64_t position);
  void on_failure(const Error& error);
  void pause();

  std::unique_ptr<Sink> sink_;
  Journal& journal_;
  SinkRunnerOptions options_;
  LineRules rules_;
  std::optional<JournalReader> reader_;  // while the sink is ready
  std::string id_;                       // of the journal, as the sink was opened
  std::uint64_t position_{0};
  Journal::Hold hold_{journal_};
  Trouble trouble_;

  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> wants_reopen_{false};
  std::atomic<bool> is_finishing_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_{false};
  Clock::time_point finish_at_{};
  SinkFigures figures_;
  std::optional<std::int64_t> waiting_since_ms_;  // receipt of the line it fails to take
  std::thread thread_;
};

}  // namespace ringcast::ringlog
