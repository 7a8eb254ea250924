// SPDX-License-Identifier: Apache-2.0
//
// A pipe in the place of stderr. When nobody reads it for long, it is full and takes no more.
#include "tools/ringlog-monitor/screen/stderr_lines.hpp"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace ringcast::monitor {

namespace {

constexpr std::size_t lines_max = 50;
constexpr std::size_t line_bytes_max = 1000;

}  // namespace

StderrLines::StderrLines() {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  reader_ = ringlog::Descriptor(ends[0]);
  const ringlog::Descriptor writer(ends[1]);
  terminal_ = ringlog::Descriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (terminal_.is_open()) (void)::dup2(writer.get(), STDERR_FILENO);
}

StderrLines::~StderrLines() {
  if (!terminal_.is_open()) return;
  read();
  (void)::dup2(terminal_.get(), STDERR_FILENO);
  for (const auto& line : lines_) {
    (void)std::fprintf(stderr, "%s\n", line.c_str());
  }
}

std::optional<std::string> StderrLines::last() {
  if (terminal_.is_open()) read();
  return std::exchange(fresh_, std::nullopt);
}

void StderrLines::read() {
  std::array<char, 4096> block{};
  for (;;) {
    const auto count = ::read(reader_.get(), block.data(), block.size());
    if (count <= 0) return;
    for (const char letter : std::string_view(block.data(), static_cast<std::size_t>(count))) {
      if (letter != '\n' && partial_.size() < line_bytes_max) partial_ += letter;
      if (letter != '\n') continue;
      fresh_ = partial_;
      lines_.push_back(std::exchange(partial_, {}));
      if (lines_.size() > lines_max) lines_.pop_front();
    }
  }
}

}  // namespace ringcast::monitor
