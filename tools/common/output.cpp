// SPDX-License-Identifier: Apache-2.0
//
// Writing a buffer to a descriptor that may block, be interrupted, or have lost its reader.
#include "tools/common/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits.h>
#include <poll.h>
#include <string_view>
#include <unistd.h>

#include "tools/common/stop_signal.hpp"

namespace ringcast::tools {
namespace {

constexpr std::size_t buffer_bytes_max = std::size_t{256} << 10U;
constexpr int grace_ms = 1000;

}  // namespace

void Output::settle() {
  if (buffer_.size() >= buffer_bytes_max) flush();
}

// After a stop request: small pieces, each only when the reader is ready for it.
bool Output::may_go_on(std::size_t& chunk) const {
  if (!StopSignal::requested()) return true;
  chunk = std::min<std::size_t>(chunk, PIPE_BUF);
  pollfd ready{fd_, POLLOUT, 0};
  const int count = poll(&ready, 1, grace_ms);
  return count > 0 || (count < 0 && errno == EINTR);
}

void Output::give_up(int error) {
  state_ = error == EPIPE ? State::reader_gone : State::failed;
  error_ = error;
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && state_ == State::open) {
    std::size_t chunk = rest.size();
    if (!may_go_on(chunk)) {
      give_up(ETIMEDOUT);
      break;
    }
    const ssize_t count = write(fd_, rest.data(), chunk);
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd ready{fd_, POLLOUT, 0};
      (void)poll(&ready, 1, grace_ms);
    } else if (errno != EINTR) {
      give_up(errno);
    }
  }
  buffer_.clear();
  // One huge message must not pin its size for ever.
  if (buffer_.capacity() > 8 * buffer_bytes_max) buffer_.shrink_to_fit();
}

ExitCode Output::finish() {
  flush();
  if (state_ != State::failed) return ExitCode::done;
  report(program_, std::string("cannot write the output: ") + std::strerror(error_));
  return ExitCode::failed;
}

ExitCode print_line(std::string_view reporter, std::string_view line) {
  Output output(reporter, STDOUT_FILENO);
  output.buffer() = line;
  output.buffer() += '\n';
  return output.finish();
}

}  // namespace ringcast::tools
