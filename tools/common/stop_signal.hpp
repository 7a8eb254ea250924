// SPDX-License-Identifier: Apache-2.0
//
// StopSignal: while one lives, SIGINT, SIGTERM and SIGHUP do not kill the program but make a
// file descriptor readable, so that a poll loop can leave in good order. A second signal of
// the same kind kills as usual. Under nohup SIGHUP stays ignored. One at a time in a process.
#pragma once

namespace ringcast::tools {

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Readable, for ever, once a signal came.
  [[nodiscard]] int fd() const;
  /// True once a signal came; false while no StopSignal lives.
  [[nodiscard]] static bool requested();
};

}  // namespace ringcast::tools
