// SPDX-License-Identifier: Apache-2.0
#include "daemon/state_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <xxhash.h>

#include "daemon/config.hpp"
#include "daemon/system_message.hpp"

namespace ringcast {
namespace {

constexpr std::string_view first_line = "ringcast-state 1\n";
constexpr std::string_view reserved_key = "ring_seq_reserved ";
constexpr std::string_view checksum_key = "checksum ";
constexpr std::size_t file_bytes_max = 4096;

Error io_error(std::string_view what, const std::string& path) {
  const int error = errno;
  return Error{Errc::io, std::string(what) + " " + path + ": " + system_message(error)};
}

/// Closes on leaving; -1 is nothing to close.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) (void)::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File(File&&) = delete;
  File& operator=(File&&) = delete;
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string checksum(std::string_view text) {
  std::array<char, 17> digits{};
  (void)std::snprintf(
      digits.data(),
      digits.size(),
      "%016llx",
      static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return {digits.data(), 16};
}

std::string encode(const StoredState& state) {
  std::string text(first_line);
  text += reserved_key;
  text += std::to_string(state.ring_seq_reserved) + "\n";
  text += std::string(checksum_key) + checksum(text) + "\n";
  return text;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<StoredState> decode(std::string_view text) {
  const auto whole = text;
  StoredState state;
  if (!take(text, first_line) || !take(text, reserved_key)) return std::nullopt;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, state.ring_seq_reserved);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (!take(text, "\n")) return std::nullopt;
  const auto sum = checksum(whole.substr(0, whole.size() - text.size()));
  if (!take(text, checksum_key) || !take(text, sum) || text != "\n") return std::nullopt;
  return state;
}

Result<void> write_all(const File& file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("cannot write", path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.get()) != 0) return io_error("cannot sync", path);
  return {};
}

/// Writes `text` to a file of its own and syncs it.
Result<void> write_synced(const std::string& path, std::string_view text) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return io_error("cannot open", path);
  return write_all(file, text, path);
}

Result<void> sync_directory(const std::string& directory) {
  const File opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return io_error("cannot open", directory);
  if (::fsync(opened.get()) != 0) return io_error("cannot sync", directory);
  return {};
}

/// The content, or nothing with errno set.
std::optional<std::string> read_whole(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  std::string text(file_bytes_max, '\0');
  std::size_t filled{0};
  while (filled < text.size()) {
    const auto count = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

}  // namespace

StateFile::StateFile(std::string directory, std::string_view name)
    : directory_(std::move(directory)), path_(directory_ + "/" + std::string(name) + ".state") {}

Result<void> StateFile::prepare() const {
  std::error_code error;
  const bool existed = std::filesystem::is_directory(directory_, error);
  if (!existed) {
    std::filesystem::create_directories(directory_, error);
    if (error) {
      return Error{Errc::io, "cannot make directory " + directory_ + ": " + error.message()};
    }
    if (::chmod(directory_.c_str(), 0700) != 0) return io_error("cannot protect", directory_);
  }
  const auto probe = path_ + ".probe";
  auto written = write_synced(probe, "");
  (void)::unlink(probe.c_str());
  return written;
}

LoadedState StateFile::load() const {
  const auto text = read_whole(path_);
  if (!text) {
    if (errno == ENOENT) return {};
    return LoadedState{.state = {}, .warning = io_error("cannot read", path_).message};
  }
  const auto state = decode(*text);
  if (state) return LoadedState{.state = *state, .warning = {}};
  const auto aside = path_ + ".corrupt";
  std::string warning = path_ + " is damaged";
  if (std::rename(path_.c_str(), aside.c_str()) == 0) warning += ", moved to " + aside;
  return LoadedState{.state = {}, .warning = warning + " -> starting without it"};
}

Result<void> StateFile::store(const StoredState& state) const {
  const auto beside = path_ + ".new";
  if (auto written = write_synced(beside, encode(state)); !written) return written;
  if (std::rename(beside.c_str(), path_.c_str()) != 0) return io_error("cannot replace", path_);
  return sync_directory(directory_);
}

std::string state_directory(std::string_view configured, std::string_view name) {
  if (!configured.empty()) return expand_name(configured, name);
  const auto systemd = environment("STATE_DIRECTORY");
  if (!systemd.empty()) return systemd.substr(0, systemd.find(':'));
  if (::geteuid() == 0) return "/var/lib/ringcast/" + std::string(name);
  auto base = environment("XDG_STATE_HOME");
  if (base.empty()) base = environment("HOME") + "/.local/state";
  return base + "/ringcast/" + std::string(name);
}

}  // namespace ringcast
