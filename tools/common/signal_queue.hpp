// SPDX-License-Identifier: Apache-2.0
//
// SignalQueue: signals as events of a descriptor, for programs with several threads or that do
// more at a signal than end. To be made before the first thread: all of them inherit that the
// signals are blocked.
#pragma once

#include <initializer_list>
#include <optional>
#include <signal.h>

namespace ringcast::tools {

class SignalQueue {
 public:
  /// Errors show as fd() < 0; the signals then act as usual.
  SignalQueue(std::initializer_list<int> signals);
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;
  /// Unblocks them; what is still pending acts then.
  ~SignalQueue();

  /// Readable when a signal has come.
  [[nodiscard]] int fd() const { return fd_; }
  /// The next signal, without waiting.
  std::optional<int> take();

 private:
  sigset_t before_{};
  int fd_{-1};
};

}  // namespace ringcast::tools
