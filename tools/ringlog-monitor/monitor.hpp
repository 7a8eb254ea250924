// SPDX-License-Identifier: Apache-2.0
//
// Monitor: ringlog-monitor without its command line: one thread, one poll loop. Lines come from
// a RingSource or a FileSource, the figures are the GroupAnalyses', and they are shown on a full
// screen, as plain lines, or as JSON, and on a web page.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/arrival_clock.hpp"
#include "tools/ringlog-monitor/file_source.hpp"
#include "tools/ringlog-monitor/group_analyses.hpp"
#include "tools/ringlog-monitor/hook.hpp"
#include "tools/ringlog-monitor/ring_source.hpp"
#include "tools/ringlog-monitor/screen/full_screen.hpp"
#include "tools/ringlog-monitor/web/web.hpp"

namespace ringcast::monitor {

struct MonitorOptions {
  ClientOptions client;
  std::vector<std::string> groups;  ///< or a file
  std::string file;
  AnalysisOptions analysis;
  std::optional<TimeSource> time;                     ///< else by what kind of file it is
  std::optional<std::uint64_t> count;                 ///< leave after this many lines
  std::optional<std::chrono::milliseconds> interval;  ///< between two lines or paintings
  std::chrono::milliseconds connect_timeout{5000};
  std::string alert_command;
  std::string alert_group;
  std::size_t top{10};
  std::vector<Tab> picture;  ///< printed at the end, instead of all figures
  WebOptions web;
  bool json{false};
  bool plain{false};  ///< lines also on a terminal
};

class Monitor {
 public:
  Monitor(MonitorOptions options, LineParser parser);

  /// Until `stop_fd` is readable, the file ends and is shown nowhere, or enough lines came.
  tools::ExitCode run(int stop_fd);

 private:
  using Clock = std::chrono::steady_clock;

  tools::ExitCode run_file(int stop_fd);
  tools::ExitCode run_ring(int stop_fd);
  /// What every round of both loops does; false when it is the last one.
  bool go_on();
  enum class Woken { stop, input, time };
  Woken wait(int stop_fd, int fd, short events);
  /// What is watched, safe for a terminal.
  [[nodiscard]] std::string watched() const;
  void open_screen();
  /// Makes what counts the lines; `name` is that of a file, when one is read.
  void make_analyses(std::vector<std::string> names);
  /// False, and said so, when it cannot be.
  bool open_web(const RingState* ring);
  [[nodiscard]] bool stays() const { return screen_ != nullptr || web_ != nullptr; }
  void handle_alerts();
  /// False when the user wants to quit.
  bool show();
  void print_interval();
  void print_end();
  tools::ExitCode finish(tools::ExitCode code);
  [[nodiscard]] bool has_enough() const;

  MonitorOptions options_;
  LineParser parser_;
  std::optional<GroupAnalyses> analyses_;
  std::optional<FileSource> file_;
  std::optional<RingSource> ring_;
  Hook hook_;
  ArrivalClock clock_;
  tools::Output output_;
  std::unique_ptr<FullScreen> screen_;
  std::optional<Listener> listener_;
  std::unique_ptr<Web> web_;
  Clock::duration interval_{};
  Clock::time_point next_show_{};
};

}  // namespace ringcast::monitor
