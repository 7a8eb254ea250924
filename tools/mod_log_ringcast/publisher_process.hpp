// SPDX-License-Identifier: Apache-2.0
//
// PublisherProcess: the publisher below the web server's parent process, and the pipe to it.
// Only the parent starts and ends it. The pipe lives as long as the server, both ends held
// here: lines in it outlive a publisher and are read by the next. Plain data, since it must
// survive that the module's code is unloaded and loaded again at each restart. Knows nothing of
// Apache. Not thread-safe: the parent has one thread.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ringcast::ringlog {

struct PublisherProcess {
  pid_t owner{-1};  ///< the process that started it
  int write_end{-1};
  int read_end{-1};
  pid_t pid{-1};                   ///< -1: not running
  std::array<pid_t, 8> retired{};  ///< told to end, and not known to have; 0: none
  long long started_ms{0};
};

/// Opens the pipe, up to 4 MiB of it, or as much as may be. Errors: errno; 0 is none.
int open_pipe(PublisherProcess& process);
/// Starts the program (path first) with the pipe as its stdin, in a process group of its own,
/// so that signals to the server do not reach it. One that ended soon after its start is
/// followed by the next after a pause, which is not this process's. Errors: errno; 0 is none.
int start(PublisherProcess& process, const std::vector<std::string>& words);
/// The running one is to end, if it has not been told by a signal then by the end of its input;
/// the next start() gives it some time to.
void retire(PublisherProcess& process, bool by_signal);
/// A retired one has ended.
void forget(PublisherProcess& process, pid_t pid);
/// No more lines will come: closes the end to write, so that whoever reads comes to the end.
void end_pipe(PublisherProcess& process);
/// Whether lines are left that no publisher has read.
bool has_unread(const PublisherProcess& process);
/// Closes both ends.
void close_pipe(PublisherProcess& process);
/// Waits for its end; false: it was not over by then.
bool wait_for_end(PublisherProcess& process, std::chrono::milliseconds patience);

}  // namespace ringcast::ringlog
