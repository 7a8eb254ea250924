// SPDX-License-Identifier: Apache-2.0
//
// FullScreen: Terminal, View and the messages that would disturb them, as one thing that a loop
// asks to go on.
#pragma once

#include <memory>
#include <string>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/screen/stderr_lines.hpp"
#include "tools/ringlog-monitor/screen/terminal.hpp"
#include "tools/ringlog-monitor/screen/view.hpp"

namespace ringcast::monitor {

class FullScreen {
 public:
  /// `name` says what is watched and is safe for a terminal. Errors: io.
  static Result<std::unique_ptr<FullScreen>> open(const std::string& name);

  /// Takes the keys that were pressed, and paints when there were some, when the terminal has
  /// another size, or when it is time to. False when the user wants to quit.
  bool step(const ContentSource& source, bool is_time);
  [[nodiscard]] int fd() const { return terminal_->fd(); }
  [[nodiscard]] bool shows_ring() const { return view_.tab() == Tab::ring; }

 private:
  FullScreen(std::unique_ptr<Terminal> terminal, const std::string& name);

  StderrLines stderr_;  // its lines are printed after the terminal is as it was
  std::unique_ptr<Terminal> terminal_;
  View view_;
  ScreenSize painted_{0, 0};
};

}  // namespace ringcast::monitor
