// SPDX-License-Identifier: Apache-2.0
//
// Writer: ringlog-write without its command line. Owns the session; all else is the Scribe's.
// One thread, one poll loop. What the disk does not take waits in the Store; beyond a limit
// nothing more is received, until the daemon ends the session.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-write/scribe.hpp"
#include "tools/ringlog-write/writer_figures.hpp"
#include "tools/ringlog/link.hpp"

namespace ringcast::ringlog {

struct WriterOptions {
  ClientOptions client;
  std::string group;
  std::string path;
  bool adopt{false};                                ///< take an existing file that has no sidecar
  Keep keep;                                        ///< of the file
  std::optional<std::uint64_t> count;               ///< leave after this many lines
  std::chrono::milliseconds connect_timeout{5000};  ///< for the first session
  std::size_t unwritten_bytes_max{std::size_t{32} << 20U};
  bool json{false};    ///< the summary, on stdout
  StoreCalls calls{};  ///< for tests
  StoreObserver* observer{nullptr};
  FiguresBoard* figures{nullptr};  ///< outlives the writer
};

class Writer {
 public:
  explicit Writer(WriterOptions options);

  /// Takes the file, then writes until `stop_fd` is readable or the count is reached.
  tools::ExitCode run(int stop_fd);

 private:
  using Clock = Client::Clock;

  tools::ExitCode loop(int stop_fd);
  /// True when the stop descriptor is readable.
  bool wait(int stop_fd);
  [[nodiscard]] Clock::time_point next_deadline() const;

  void keep_session();
  /// Members of the writers' group, as the daemon knows them.
  std::set<std::string> writers_there();
  void join_if_ready();
  void join(const std::string& group);
  void receive();
  /// Returns how much was taken, in bytes.
  std::size_t take_event(Event event);
  void end_session(const std::string& reason);
  void send_outgoing();
  /// True when it was handed over or never can be.
  bool publish(const Outgoing& message);
  void report_progress();
  void leave(Clock::time_point deadline);
  tools::ExitCode finish();
  [[nodiscard]] tools::ExitCode summarize() const;
  void show_figures();
  [[nodiscard]] bool may_receive() const;
  /// Data lines since the start, once everything is written.
  [[nodiscard]] std::uint64_t planned_lines() const;

  WriterOptions options_;
  Scribe scribe_;
  std::optional<Link> link_;

  bool joined_{false};
  bool joined_writers_{false};
  struct Progress {
    SenderProgress since;  // the last report
    bool is_known{false};  // a report was sent
  };
  std::map<MemberName, Progress> progress_;  // by publisher

  std::uint64_t session_count_{0};
  Clock::time_point started_{};
};

}  // namespace ringcast::ringlog
