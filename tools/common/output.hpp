// SPDX-License-Identifier: Apache-2.0
//
// Output: a large buffer in front of stdout (or any descriptor) that is written when it is
// full or when the program says that nothing more is waiting. A reader that went away
// (EPIPE) is no error: what is written afterwards is dropped, and the program asks
// reader_gone(). Requires SIGPIPE to be ignored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tools/common/exit_codes.hpp"

namespace ringcast::tools {

class Output {
 public:
  /// `reporter` is who reports, a name that lives as long as the program.
  Output(std::string_view reporter, int fd) : program_(reporter), fd_(fd) {}

  /// Append here, then call settle() or flush().
  std::string& buffer() { return buffer_; }

  /// Writes the buffer if it is large; to be called after each event.
  void settle();
  /// Writes all there is. Once a stop was requested (StopSignal), a reader that takes nothing
  /// for a second is given up.
  void flush();

  /// The reader of a pipe closed its end; nothing else can be written.
  [[nodiscard]] bool reader_gone() const { return state_ == State::reader_gone; }
  /// Nothing more can be written, for that or another reason.
  [[nodiscard]] bool is_over() const { return state_ != State::open; }
  [[nodiscard]] int fd() const { return fd_; }

  /// Flushes; done, or failed with a report when something could not be written.
  ExitCode finish();

 private:
  enum class State { open, reader_gone, failed };
  [[nodiscard]] bool may_go_on(std::size_t& chunk) const;
  void give_up(int error);

  std::string_view program_;
  int fd_;
  State state_{State::open};
  int error_{0};
  std::string buffer_;
};

/// All of a program's output: one line on stdout. Done, or failed with a report.
ExitCode print_line(std::string_view reporter, std::string_view line);

}  // namespace ringcast::tools
