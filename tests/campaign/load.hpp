// SPDX-License-Identifier: Apache-2.0
//
// Recording: the records of a campaign (record.hpp) and the log of what was done to it, read into
// the simulator's History. Sessions only; judge.hpp makes of them what the checkers need.
//
// The log has lines of the same kind:
//
//   D time DAEMON PID                a daemon was started
//   X time DAEMON PID                it is gone
//   B time NUMBER KIND TARGET ...    a fault begins; kill, pause, stall, disk, loss ...
//   Z time NUMBER                    it ends
//   H time                           everything is healed and quiet: the records are complete
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/history.hpp"

namespace ringcast::campaign {

struct DaemonRun {
  std::string daemon;
  std::int64_t pid{0};
  Instant started;
  std::optional<Instant> ended;
};

struct Fault {
  std::uint64_t number{0};
  std::string kind;
  std::string target;
  Instant began;
  std::optional<Instant> ended;
};

struct SessionNote {
  std::int64_t daemon_pid{0};
  std::uint64_t recorder{0};
};

struct Recording {
  sim::History sessions;              ///< no processes
  std::vector<SessionNote> notes;     ///< by session
  std::vector<DaemonRun> runs;        ///< by start
  std::vector<Fault> faults;          ///< by begin
  bool settled{false};                ///< the log says so, and every record was frozen
  std::vector<std::string> problems;  ///< files or lines that cannot be read
};

/// Reads records and the log, in any order of the files. The last line of a record may be cut.
Recording load(const std::vector<std::string>& paths);

}  // namespace ringcast::campaign
