// SPDX-License-Identifier: Apache-2.0
//
// Reading block by block, from behind the hole on.
#include "tools/ringlog/sparse_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10U;

}  // namespace

std::uint64_t first_data(int fd, std::uint64_t from) {
  const auto found = ::lseek(fd, static_cast<off_t>(from), SEEK_DATA);
  if (found >= 0) return static_cast<std::uint64_t>(found);
  struct stat status {};
  const bool is_all_hole = errno == ENXIO && ::fstat(fd, &status) == 0;
  return is_all_hole ? std::max(from, static_cast<std::uint64_t>(status.st_size)) : from;
}

std::string_view behind_zeros(std::string_view line) {
  const auto zero = line.rfind('\0');
  if (zero != std::string_view::npos) line.remove_prefix(zero + 1);
  return line;
}

SparseLines::SparseLines(std::string path, Descriptor file)
    : path_(std::move(path)), file_(std::move(file)) {
  if (file_.is_open()) text_begins_ = first_data(file_.get(), 0);
}

Result<SparseLines> SparseLines::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno != ENOENT) return system_error(path, "cannot open", errno);
  return SparseLines(path, std::move(file));
}

Result<std::optional<std::string_view>> SparseLines::next() {
  const std::optional<std::string_view> nothing;
  if (!file_.is_open()) return nothing;
  auto searched = next_;
  for (;;) {
    const auto newline = text_.find('\n', searched);
    if (newline != std::string::npos) {
      const auto line = behind_zeros(std::string_view(text_).substr(next_, newline - next_));
      line_ends_ = text_begins_ + newline + 1;
      line_begins_ = line_ends_ - line.size() - 1;
      next_ = newline + 1;
      return std::optional(line);
    }
    text_begins_ += next_;
    text_.erase(0, std::exchange(next_, 0));
    searched = text_.size();
    text_.resize(searched + block_bytes);
    const auto at = static_cast<off_t>(text_begins_ + searched);
    const auto got = ::pread(file_.get(), text_.data() + searched, block_bytes, at);
    text_.resize(searched + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path_, "cannot read", errno);
    if (got == 0) return nothing;
  }
}

}  // namespace ringcast::ringlog
