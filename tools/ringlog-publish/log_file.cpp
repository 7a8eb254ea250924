// SPDX-License-Identifier: Apache-2.0
//
// Opening followed files and recognizing them.
#include "tools/ringlog-publish/log_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <utility>

namespace ringcast::ringlog {

Opening open_log(const std::string& path) {
  // O_NONBLOCK: a fifo of that name must not hold us up.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return Opening{std::nullopt, errno};
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return Opening{std::nullopt, errno};
  if (!S_ISREG(status.st_mode)) return Opening{};
  return Opening{
      LogFile{
          std::move(file),
          FileId{status.st_dev, status.st_ino},
          static_cast<std::uint64_t>(status.st_size)},
      0};
}

// A device number can change at a reboot; where the first bytes agree it is not asked.
Likeness compare(const LogFile& open, const CheckpointEntry& entry) {
  if (open.id.inode != entry.id.inode) return Likeness::other;
  if (entry.fingerprint.bytes == 0) {
    return open.id == entry.id ? Likeness::same : Likeness::other;
  }
  if (open.size < entry.fingerprint.bytes) return Likeness::other;
  const auto fingerprint = fingerprint_of(open.file.get(), entry.fingerprint.bytes);
  if (!fingerprint) return Likeness::unknown;
  return *fingerprint == entry.fingerprint ? Likeness::same : Likeness::other;
}

bool is_replaced(const LogFile& open, const CheckpointEntry& entry) {
  return open.id == entry.id && compare(open, entry) == Likeness::other;
}

std::optional<LogFile> find_renamed(const CheckpointEntry& entry) {
  auto directory = std::filesystem::path(entry.path).parent_path();
  if (directory.empty()) directory = ".";
  std::error_code error;
  std::filesystem::directory_iterator item(directory, error);
  for (; !error && item != std::filesystem::directory_iterator(); item.increment(error)) {
    const auto path = item->path().string();
    // Opening is not harmless for everything that can lie there.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || status.st_ino != entry.id.inode) continue;
    auto open = open_log(path);
    if (open.file && compare(*open.file, entry) == Likeness::same) return std::move(open.file);
  }
  return std::nullopt;
}

}  // namespace ringcast::ringlog
