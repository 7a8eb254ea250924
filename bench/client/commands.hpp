// SPDX-License-Identifier: Apache-2.0
//
// The two lines that compare.sh and a client exchange before a run: the client prints
// {"event":"ready"} when it has heard everybody, and is told `start NANOSECONDS`, a reading of
// CLOCK_MONOTONIC that is the same for all.
#pragma once

#include <optional>
#include <string>

#include "ringcast/result.hpp"

#include "client/message.hpp"

namespace ringcast::bench {

void report_ready();

class CommandReader {
 public:
  explicit CommandReader(int fd) : fd_(fd) {}

  /// Nothing as long as there is no whole line. Errors: closed at the end of the input,
  /// malformed for another command.
  Result<std::optional<Clock::time_point>> read_start();

 private:
  int fd_;
  std::string line_;
};

}  // namespace ringcast::bench
