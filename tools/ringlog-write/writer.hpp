// SPDX-License-Identifier: Apache-2.0
//
// Writer: ringlog-write without its command line. Owns the session, the file, its sidecar and
// the pending files; all decisions are the Reconciler's. One thread, one poll loop.
//
// Order of things: data is written, then its entry in the sidecar; a few times a second the
// data is synced and after it the sidecar. What the disk does not take waits in memory and is
// tried again; beyond a limit nothing more is received, until the daemon ends the session.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/link.hpp"

namespace ringcast::ringlog {

struct WriterOptions {
  ClientOptions client;
  std::string group;
  std::string path;
  bool adopt{false};                                ///< take an existing file that has no sidecar
  std::optional<std::uint64_t> count;               ///< leave after this many lines
  std::chrono::milliseconds connect_timeout{5000};  ///< for the first session
  std::chrono::milliseconds sync_interval{200};
  std::size_t unwritten_bytes_max{std::size_t{32} << 20U};
  bool json{false};  ///< the summary, on stdout
};

class Writer {
 public:
  explicit Writer(WriterOptions options);

  /// Takes the file, then writes until `stop_fd` is readable or the count is reached.
  tools::ExitCode run(int stop_fd);

 private:
  using Clock = Client::Clock;

  Result<void> open();
  Result<FileState> initial_state();
  tools::ExitCode loop(int stop_fd);
  /// True when the stop descriptor is readable.
  bool wait(int stop_fd);
  [[nodiscard]] Clock::time_point next_deadline() const;

  void keep_session();
  void receive();
  /// Returns how much was taken, in bytes.
  std::size_t take_event(Event event);
  void end_session(const std::string& reason);
  void publish_tables();
  /// True when it was handed over or never can be.
  bool publish(const std::string& to, std::int32_t type, const std::vector<std::byte>& payload);
  void report_progress();
  void collect();
  void collect_data(ReconcilerOutput& output);
  Result<void> open_pending(const PendingRecord& pending);
  Result<void> flush_pending();
  void leave(Clock::time_point deadline);
  void flush_files();
  void record_written();
  void sync_if_due();
  void sync();
  void trouble(const Error& error);
  void tell_awaited();
  tools::ExitCode finish();
  void summarize() const;
  [[nodiscard]] std::size_t unwritten_bytes() const;
  [[nodiscard]] bool may_receive() const;

  WriterOptions options_;
  Descriptor lock_;
  std::optional<AppendFile> file_;
  std::optional<Sidecar> sidecar_;
  std::optional<Reconciler> reconciler_;
  std::optional<Link> link_;

  FileState written_;                 // what the file and its sidecar's entries say
  std::deque<FileEntry> unrecorded_;  // entries whose data is not yet written
  std::uint64_t planned_length_{0};   // of the file once everything is written
  std::uint64_t planned_lines_{0};
  std::deque<PendingRecord> pending_;  // not yet handed to a pending file
  std::size_t pending_bytes_{0};
  std::map<std::string, AppendFile> pending_files_;
  std::set<std::string> told_pending_;
  std::deque<std::vector<std::byte>> tables_;
  bool joined_writers_{false};
  struct Progress {
    SenderProgress since;  // the last report
    bool is_known{false};  // a report was sent
  };
  std::map<MemberName, Progress> progress_;  // by publisher

  std::uint64_t lines_before_{0};
  std::uint64_t session_count_{0};
  bool dirty_{false};
  Clock::time_point started_{};
  Clock::time_point next_sync_{};
  std::optional<Clock::time_point> retry_at_;
  std::chrono::milliseconds retry_pause_{0};
  std::string last_trouble_;
  std::optional<Clock::time_point> waiting_since_;
};

}  // namespace ringcast::ringlog
