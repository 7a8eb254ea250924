// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a file, split into lines.
#include "tools/ringlog-monitor/file_source.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog/record.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10U;

}  // namespace

FileSource::FileSource(std::string name, ringlog::Descriptor file, bool is_regular)
    : name_(std::move(name)),
      file_(std::move(file)),
      is_regular_(is_regular),
      splitter_(ringlog::line_bytes_max) {}

Result<FileSource> FileSource::open(const std::string& path) {
  ringlog::Descriptor file;
  const bool is_stdin = path == "-";
  if (!is_stdin) file = ringlog::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!is_stdin && !file.is_open()) return ringlog::system_error(path, "cannot open", errno);
  struct stat status {};
  const int fd = is_stdin ? STDIN_FILENO : file.get();
  const bool is_regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const auto name = is_stdin ? "stdin" : path.substr(path.rfind('/') + 1);
  return FileSource(name, std::move(file), is_regular);
}

Result<void> FileSource::read(LineSink& sink, Instant now) {
  const auto take = [&](const ringlog::SplitLine& line) { add(line, sink, now); };
  buffer_.resize(block_bytes);
  const auto count = ::read(fd(), buffer_.data(), buffer_.size());
  if (count < 0) {
    if (errno == EINTR || errno == EAGAIN) return {};
    return ringlog::system_error(name_, "cannot read", errno);
  }
  if (count == 0) {
    at_end_ = true;
    splitter_.end(take);
  } else {
    splitter_.feed(std::string_view(buffer_).substr(0, static_cast<std::size_t>(count)), take);
  }
  return {};
}

void FileSource::add(const ringlog::SplitLine& line, LineSink& sink, Instant now) const {
  const Origin origin{name_, name_};
  if (line.too_long) {
    sink.add_line("(a line of " + std::to_string(line.bytes) + " bytes)", origin, now);
  } else {
    sink.add_line(line.text, origin, now);
  }
}

}  // namespace ringcast::monitor
