// SPDX-License-Identifier: Apache-2.0
//
// One buffer: lines are returned from its front, input is read behind its end.
#include "tools/common/line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace ringcast::tools {
namespace {

constexpr std::size_t block_bytes = std::size_t{128} << 10U;

}  // namespace

Error LineReader::too_large(std::size_t bytes, bool whole) const {
  return {
      Errc::too_large,
      "line " + std::to_string(lines_ + 1) + " is " + (whole ? "" : "more than ") +
          std::to_string(bytes) + " bytes long and the limit for one message is " +
          std::to_string(line_bytes_max_) +
          " bytes: split it, or raise message_bytes_max of the daemons"};
}

Result<std::optional<std::string_view>> LineReader::next() {
  const auto newline = buffer_.find('\n', std::max(begin_, scanned_));
  scanned_ = buffer_.size();
  const bool whole = newline != std::string::npos;
  const std::size_t end = whole ? newline : buffer_.size();
  const std::size_t length = end - begin_;
  if (length > line_bytes_max_) return too_large(length, whole || ended_);
  if (!whole && (!ended_ || length == 0)) return std::optional<std::string_view>{};
  const std::string_view line = std::string_view(buffer_).substr(begin_, length);
  begin_ = whole ? newline + 1 : end;
  scanned_ = begin_;
  ++lines_;
  return std::optional<std::string_view>{line};
}

Result<void> LineReader::fill() {
  buffer_.erase(0, begin_);
  scanned_ -= std::min(scanned_, begin_);
  begin_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + block_bytes);
  ssize_t count = -1;
  do {
    count = read(fd_, buffer_.data() + old, block_bytes);
  } while (count < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count == 0) ended_ = true;
  if (count < 0 && error != EAGAIN) {
    return Error{Errc::io, std::string("cannot read the input: ") + std::strerror(error)};
  }
  return {};
}

}  // namespace ringcast::tools
