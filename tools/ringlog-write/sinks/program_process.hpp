// SPDX-License-Identifier: Apache-2.0
//
// ProgramProcess: a program that reads from a pipe of ours. Its output goes to our stderr, or is
// taken as answers, one a line. At its end its pipe is closed, and when it does not end by itself
// soon it is made to.
#pragma once

#include <cstdint>
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
  static Result<ProgramProcess> start(const std::vector<std::string>& command, bool answers);
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
  /// Waits until there are so many answers, or will not be. True when there are.
  bool wait_answers(std::uint64_t count, const Interruption& interruption);
  /// Lines it has put out, as far as they were looked at. REQUIRES: started with answers.
  [[nodiscard]] std::uint64_t answers() const { return answer_count_; }
  /// The same with a limit of time in the place of an interruption.
  std::size_t write_within(std::string_view text, std::chrono::milliseconds patience);
  /// Ends it at once.
  void kill();
  /// Closes its stdin and waits for it: "ended with 1", "was ended by signal 9".
  std::string end();

 private:
  ProgramProcess(pid_t pid, Descriptor process, Descriptor input, Descriptor answers)
      : pid_(pid),
        process_(std::move(process)),
        input_(std::move(input)),
        answers_(std::move(answers)) {}

  void take_answers();

  std::size_t write_until(
      std::string_view text,
      const Interruption& interruption,
      std::optional<Interruption::Clock::time_point> deadline);
  /// True when it has ended before the deadline.
  bool wait_end(std::chrono::milliseconds patience) const;

  pid_t pid_{-1};
  Descriptor process_;  // readable at its end
  Descriptor input_;
  Descriptor answers_;  // closed at their end
  std::uint64_t answer_count_{0};
};

}  // namespace ringcast::ringlog
