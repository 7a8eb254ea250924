// SPDX-License-Identifier: Apache-2.0
//
// ProgramProcess: a program that reads from a pipe of ours. Its output goes to our stderr. At its
// end its pipe is closed, and when it does not end by itself soon it is made to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/sinks/interruption.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

class ProgramProcess {
 public:
  /// Starts it, looked for in PATH. Errors: io.
  static Result<ProgramProcess> start(const std::vector<std::string>& command);
  ProgramProcess(ProgramProcess&& other) noexcept;
  ProgramProcess& operator=(ProgramProcess&&) = delete;
  ProgramProcess(const ProgramProcess&) = delete;
  ProgramProcess& operator=(const ProgramProcess&) = delete;
  ~ProgramProcess();

  /// Writes until all is taken, the program closes its stdin or ends, or we are interrupted.
  /// Returns how much was taken.
  std::size_t write(std::string_view text, const Interruption& interruption);
  /// Waits until the program has read all that was written, or will not. True when it has.
  bool wait_read(const Interruption& interruption);
  /// The same with a limit of time in the place of an interruption.
  std::size_t write_within(std::string_view text, std::chrono::milliseconds patience);
  /// Ends it at once.
  void kill();
  /// Closes its stdin and waits for it: "ended with 1", "was ended by signal 9".
  std::string end();

 private:
  ProgramProcess(pid_t pid, Descriptor process, Descriptor input)
      : pid_(pid), process_(std::move(process)), input_(std::move(input)) {}

  std::size_t write_until(
      std::string_view text,
      const Interruption& interruption,
      std::optional<Interruption::Clock::time_point> deadline);
  /// True when it has ended before the deadline.
  bool wait_end(std::chrono::milliseconds patience) const;

  pid_t pid_{-1};
  Descriptor process_;  // readable at its end
  Descriptor input_;
};

}  // namespace ringcast::ringlog
