// SPDX-License-Identifier: Apache-2.0
//
// Least recently used goes first.
#include "tools/ringlog-write/sinks/open_files.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t account_bytes = 16384;
constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t ns_per_ms = 1'000'000;

template <class Id>
std::optional<Id> number_of(const std::string& text) {
  Id id{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return id;
}

Result<uid_t> user_of(const std::string& name) {
  if (const auto id = number_of<uid_t>(name)) return *id;
  std::array<char, account_bytes> text{};
  passwd entry{};
  passwd* found = nullptr;
  (void)::getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found == nullptr) return Error{Errc::invalid_argument, "there is no user " + name};
  return entry.pw_uid;
}

Result<gid_t> group_of(const std::string& name) {
  if (const auto id = number_of<gid_t>(name)) return *id;
  std::array<char, account_bytes> text{};
  ::group entry{};
  ::group* found = nullptr;
  (void)::getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found == nullptr) return Error{Errc::invalid_argument, "there is no group " + name};
  return entry.gr_gid;
}

}  // namespace

Result<FileOwner> parse_owner(const std::string& text) {
  FileOwner owner;
  const auto colon = text.find(':');
  if (const auto name = text.substr(0, colon); !name.empty()) {
    const auto user = user_of(name);
    if (!user) return user.error();
    owner.user = *user;
  }
  if (colon != std::string::npos && colon + 1 < text.size()) {
    const auto group = group_of(text.substr(colon + 1));
    if (!group) return group.error();
    owner.group = *group;
  }
  return owner;
}

Result<void> OpenFiles::adjust(int fd, const std::string& path) const {
  const auto user = options_.owner.user.value_or(static_cast<uid_t>(-1));
  const auto group = options_.owner.group.value_or(static_cast<gid_t>(-1));
  if (!options_.owner.user && !options_.owner.group) return {};
  if (::fchown(fd, user, group) == 0) return {};
  return system_error(path, "cannot change its owner", errno);
}

Result<void> OpenFiles::make_parents(const std::string& path) const {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const auto directory = path.substr(0, slash);
    if (::mkdir(directory.c_str(), 0755) == 0) {
      const Descriptor made(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!made.is_open()) return system_error(directory, "cannot open", errno);
      if (auto adjusted = adjust(made.get(), directory); !adjusted) return adjusted;
      if (auto synced = sync_directory_of(directory); !synced) return synced;
    } else if (const int error = errno; ::access(directory.c_str(), F_OK) != 0) {
      return system_error(directory, "cannot create the directory", error);
    }
  }
  return {};
}

Result<GrowingFile*> OpenFiles::open(const std::string& path) {
  if (const auto known = by_path_.find(path); known != by_path_.end()) {
    struct stat status {};
    const bool is_as_left = ::fstat(known->second->descriptor.get(), &status) == 0 &&
                            status.st_nlink > 0 &&
                            std::cmp_equal(status.st_size, known->second->length);
    if (is_as_left) {
      files_.splice(files_.begin(), files_, known->second);
      return &files_.front();
    }
    close(path);  // another program cut or removed it
  }
  const auto flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe in its place must not block us
  GrowingFile file;
  file.path = path;
  file.descriptor = Descriptor(::open(path.c_str(), flags));
  if (!file.descriptor.is_open() && errno == ENOENT) {
    if (auto made = make_parents(path); !made) return made.error();
    file.descriptor = Descriptor(::open(path.c_str(), flags | O_CREAT, options_.mode));
    file.is_new = true;
  }
  if (!file.descriptor.is_open()) return system_error(path, "cannot open for writing", errno);
  struct stat status {};
  if (::fstat(file.descriptor.get(), &status) != 0) return system_error(path, "cannot stat", errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::io, path + ": not a regular file; move it away"};
  if (file.is_new) {
    // The umask took some of it away.
    if (::fchmod(file.descriptor.get(), options_.mode) != 0) {
      return system_error(path, "cannot change its mode", errno);
    }
    if (auto adjusted = adjust(file.descriptor.get(), path); !adjusted) return adjusted.error();
  }
  file.length = static_cast<std::uint64_t>(status.st_size);
  file.time_ms = status.st_mtim.tv_sec * ms_per_second + status.st_mtim.tv_nsec / ns_per_ms;
  if (files_.size() >= options_.open_max) {
    by_path_.erase(files_.back().path);
    files_.pop_back();
  }
  files_.push_front(std::move(file));
  by_path_.emplace(path, files_.begin());
  return &files_.front();
}

void OpenFiles::close(const std::string& path) {
  const auto known = by_path_.find(path);
  if (known == by_path_.end()) return;
  files_.erase(known->second);
  by_path_.erase(known);
}

void OpenFiles::close_all() {
  by_path_.clear();
  files_.clear();
}

Result<void> append_to(GrowingFile& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::pwrite(
        file.descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(file.length));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return system_error(file.path, "cannot write", put < 0 ? errno : ENOSPC);
    file.length += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace ringcast::ringlog
