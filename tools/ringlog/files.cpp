// SPDX-License-Identifier: Apache-2.0
//
// POSIX files behind Result.
#include "tools/ringlog/files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() { close(); }

void Descriptor::close() {
  if (fd_ >= 0) (void)::close(fd_);
  fd_ = -1;
}

std::string remedy_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "; make room there";
    case EACCES:
    case EPERM:
      return "; let this program's user do that (owner and mode of it and of its directories)";
    case EROFS:
      return "; mount it for writing";
    case EMFILE:
      return "; raise the limit of open files";
    default:
      return {};
  }
}

Error system_error(const std::string& path, const std::string& what, int error_number) {
  return Error{
      Errc::io,
      path + ": " + what + ": " + std::generic_category().message(error_number) +
          remedy_of(error_number)};
}

Result<std::optional<std::string>> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::optional<std::string>{};
    return system_error(path, "cannot open", errno);
  }
  std::string content;
  std::array<char, 65536> block{};
  for (;;) {
    const auto got = ::read(file.get(), block.data(), block.size());
    if (got == 0) return std::optional<std::string>(std::move(content));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "cannot read", errno);
    content.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> read_part(
    int fd, std::uint64_t from, std::uint64_t to, const std::string& path) {
  std::string content(static_cast<std::size_t>(to - from), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const auto got =
        ::pread(fd, content.data() + done, content.size() - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "cannot read", errno);
    if (got == 0) return Error{Errc::io, path + ": shorter than expected"};
    done += static_cast<std::size_t>(got);
  }
  return content;
}

Result<void> sync_directory_of(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  const Descriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open()) return system_error(directory, "cannot open", errno);
  // Some file systems cannot sync a directory and say EINVAL; there is nothing more to do then.
  if (::fsync(file.get()) != 0 && errno != EINVAL) {
    return system_error(directory, "cannot sync", errno);
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  const auto temporary = path + ".new";
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.is_open()) return system_error(temporary, "cannot create", errno);
  while (!content.empty()) {
    const auto put = ::write(file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(temporary, "cannot write", errno);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file.get()) != 0) return system_error(temporary, "cannot sync", errno);
  file.close();
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return system_error(path, "cannot replace", errno);
  }
  return sync_directory_of(path);
}

Result<void> make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_error(path, "cannot create the directory", error.value());
  return {};
}

int release_bytes(int fd, std::uint64_t from, std::uint64_t to) {
  constexpr auto mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  for (;;) {
    const auto done =
        ::fallocate(fd, mode, static_cast<off_t>(from), static_cast<off_t>(to - from));
    if (done == 0 || errno != EINTR) return done;
  }
}

AppendFile::AppendFile(std::string path, Descriptor file, std::uint64_t length)
    : path_(std::move(path)),
      file_(std::move(file)),
      length_(length),
      write_(::pwrite),
      sync_(::fdatasync) {}

Result<AppendFile> AppendFile::open(const std::string& path, std::uint64_t length) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return system_error(path, "cannot open for writing", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(path, "cannot stat", errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Errc::invalid_argument, path + ": not a regular file; name one that can be cut"};
  }
  if (std::cmp_greater(status.st_size, length) &&
      ::ftruncate(file.get(), static_cast<off_t>(length)) != 0) {
    return system_error(path, "cannot cut off an unfinished end", errno);
  }
  return AppendFile(path, std::move(file), length);
}

Result<void> AppendFile::flush() {
  std::size_t done = 0;
  int failure = 0;
  while (done < buffer_.size() && failure == 0) {
    const auto put = write_(
        file_.get(), buffer_.data() + done, buffer_.size() - done, static_cast<off_t>(length_));
    if (put > 0) {
      done += static_cast<std::size_t>(put);
      length_ += static_cast<std::uint64_t>(put);
    } else if (put == 0 || errno != EINTR) {
      failure = put == 0 ? ENOSPC : errno;
    }
  }
  buffer_.erase(0, done);
  if (failure != 0) return system_error(path_, "cannot write", failure);
  return {};
}

Result<void> AppendFile::sync() {
  if (sync_(file_.get()) != 0) return system_error(path_, "cannot sync", errno);
  return {};
}

}  // namespace ringcast::ringlog
