// SPDX-License-Identifier: Apache-2.0
//
// Service: ringlog-write with a configuration: all its groups, until a signal ends it.
// SIGHUP reads the configuration again at once: groups and sinks that did not change go on,
// others end or begin; files are opened again. A configuration with a mistake changes nothing.
// SIGUSR1 prints the figures of all sinks to stderr.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/common/signal_queue.hpp"
#include "tools/ringlog-write/config/writer_config.hpp"
#include "tools/ringlog-write/group_run.hpp"

namespace ringcast::ringlog {

struct ServiceOptions {
  ClientOptions client;  ///< where it is empty the configuration's word counts
  std::chrono::milliseconds connect_timeout{5000};
  bool json{false};  ///< summaries on stdout
  /// Reads the configuration again; nothing when it has mistakes, which it has told.
  std::function<std::optional<WriterConfig>()> read;
};

class Service {
 public:
  Service(ServiceOptions options, WriterConfig config);

  /// Until SIGTERM or SIGINT, or until all writers have ended by themselves.
  tools::ExitCode run(tools::SignalQueue& signals);

 private:
  using Clock = std::chrono::steady_clock;

  void start_group(const GroupConfig& group);
  /// True when one asks for the end.
  bool take_signals(tools::SignalQueue& signals);
  void reload();
  void look_at_groups();
  void wait(const tools::SignalQueue& signals);
  [[nodiscard]] std::string status() const;
  void write_status();
  void end();
  void summarize(const tools::Json& sink) const;
  [[nodiscard]] ClientOptions client_options(const WriterConfig& config) const;

  ServiceOptions options_;
  WriterConfig config_;
  Descriptor ended_;  // readable when a writer has ended by itself
  std::vector<std::unique_ptr<GroupRun>> groups_;
  tools::ExitCode code_{tools::ExitCode::done};
  Clock::time_point next_status_{};
  std::string status_trouble_;
};

}  // namespace ringcast::ringlog
