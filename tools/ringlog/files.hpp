// SPDX-License-Identifier: Apache-2.0
//
// Files as ringlog needs them: AppendFile grows a file at its end and keeps what the system
// would not take until it does; Descriptor closes itself; and small files are read whole or
// replaced atomically. Errors carry the path and the system's own words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "ringcast/result.hpp"

namespace ringcast::ringlog {

/// An open file descriptor, closed at the end. Movable, not copyable.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_{-1};
};

/// "; what to do about it", of errors with a usual remedy.
std::string remedy_of(int error_number);

/// "PATH: what: the system's words; what to do about it", the latter where it can be known.
Error system_error(const std::string& path, const std::string& what, int error_number);

/// The whole file, or nothing when there is none.
Result<std::optional<std::string>> read_file(const std::string& path);
/// Bytes [from, to) of an open file. Errors: io, also when it is shorter.
Result<std::string> read_part(
    int fd, std::uint64_t from, std::uint64_t to, const std::string& path);
/// Temporary file, fsync, rename, fsync of the directory: the old or the new content, never less.
Result<void> replace_file(const std::string& path, std::string_view content);
/// Makes a new name or a removal in the directory of `path` survive a power cut.
Result<void> sync_directory_of(const std::string& path);
/// Creates the directory and its parents. Errors: io.
Result<void> make_directories(const std::string& path);

/// pwrite, or what a test puts in its place.
using WriteFunction = std::function<ssize_t(int, const void*, std::size_t, off_t)>;
/// Gives the bytes [from, to) of an open file back to its file system: they read as zeros, and all
/// others stay where they are. 0, or -1 and errno.
int release_bytes(int fd, std::uint64_t from, std::uint64_t to);
/// release_bytes, or what a test puts in its place.
using ReleaseFunction = std::function<int(int, std::uint64_t, std::uint64_t)>;
/// fdatasync, or what a test puts in its place.
using SyncFunction = std::function<int(int)>;

class AppendFile {
 public:
  /// Opens or creates; what lies beyond `length` is cut off. REQUIRES: length <= size of the file.
  static Result<AppendFile> open(const std::string& path, std::uint64_t length);

  /// Takes the bytes; flush() writes them.
  void append(std::string_view bytes) { buffer_ += bytes; }
  /// Writes what it can. Errors: io; nothing is lost, the rest is written by a later flush.
  Result<void> flush();
  /// fdatasync. Errors: io.
  Result<void> sync();

  /// Bytes that have been written.
  [[nodiscard]] std::uint64_t length() const { return length_; }
  [[nodiscard]] std::size_t buffered() const { return buffer_.size(); }
  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  void set_write_function(WriteFunction function) { write_ = std::move(function); }
  void set_sync_function(SyncFunction function) { sync_ = std::move(function); }

 private:
  AppendFile(std::string path, Descriptor file, std::uint64_t length);

  std::string path_;
  Descriptor file_;
  std::uint64_t length_{0};
  std::string buffer_;
  WriteFunction write_;
  SyncFunction sync_;
};

}  // namespace ringcast::ringlog
