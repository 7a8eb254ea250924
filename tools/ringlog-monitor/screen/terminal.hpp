// SPDX-License-Identifier: Apache-2.0
//
// Terminal: the full screen, by ncurses: paints Frames and reads keys. Keys come from the
// controlling terminal, so that stdin may be a log. One at a time in a process. The screen is as
// it was when the Terminal is gone.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/screen/frame.hpp"

namespace ringcast::monitor {

class Terminal {
 public:
  /// Errors: io, when there is none or ncurses does not know it.
  static Result<std::unique_ptr<Terminal>> open();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Readable when keys were pressed.
  [[nodiscard]] int fd() const;
  /// All that were pressed; never waits. A change of size is no key, but it wakes who polls.
  std::vector<KeyPress> keys();
  [[nodiscard]] ScreenSize size() const;
  void paint(const Frame& frame);

 private:
  explicit Terminal(std::FILE* input) : input_(input) {}
  void set_up();

  std::FILE* input_;
  void* screen_{nullptr};  // ncurses' own; its header stays out of ours
};

}  // namespace ringcast::monitor
