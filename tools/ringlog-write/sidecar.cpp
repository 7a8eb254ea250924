// SPDX-License-Identifier: Apache-2.0
//
// The sidecar as a file: a snapshot, and behind it entries.
#include "tools/ringlog-write/sidecar.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t entries_bytes_max = std::uint64_t{4} << 20U;

// The data behind an entry is there when it is long enough and its lines make the chain.
bool data_is_there(int fd, const FileState& state, const FileEntry& entry, std::uint64_t size) {
  const auto length = entry.after.length;
  if (entry.before != state.end || length < state.end.length || length > size) return false;
  const auto data = read_part(fd, state.end.length, length, "");
  if (!data) return false;
  const bool whole_lines = data->empty() || data->back() == '\n';
  return whole_lines && chain_text(state.end.chain, *data) == entry.after.chain;
}

Result<void> apply_entries(
    const std::string& path,
    std::string_view rest,
    LoadedState& loaded,
    std::vector<std::string>& notes) {
  auto& [state, recent] = loaded;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno != ENOENT) return system_error(path, "cannot open", errno);
  struct stat status {};
  if (file.is_open() && ::fstat(file.get(), &status) != 0) {
    return system_error(path, "cannot stat", errno);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < state.end.length) {
    return Error{
        Errc::corrupt,
        path + ": holds " + std::to_string(size) + " bytes, but its sidecar knows of " +
            std::to_string(state.end.length) +
            "; it was cut or replaced by another program; restore it, or move it and " +
            sidecar_path(path) + " away to begin a new one"};
  }
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    auto entry = parse_entry(rest.substr(0, end), state.end);
    if (!entry || !data_is_there(file.get(), state, *entry, size)) break;
    apply(state, *entry);
    recent.push_back(*std::move(entry));
    rest.remove_prefix(end + 1);
  }
  if (size > state.end.length) {
    notes.push_back(
        path + ": cut off " + std::to_string(size - state.end.length) +
        " bytes at its end whose writing was not completed; they count as not written");
  } else if (!rest.empty()) {
    notes.push_back(path + ": the last writes did not reach the disk and count as not written");
  }
  return {};
}

}  // namespace

std::string sidecar_path(const std::string& path) { return path + ".position"; }

Result<std::optional<LoadedState>> load_state(
    const std::string& path, std::vector<std::string>& notes) {
  auto content = read_file(sidecar_path(path));
  if (!content) return content.error();
  if (!content->has_value()) return std::optional<LoadedState>{};
  const std::string_view text(**content);
  const auto end = text.find('\n');
  auto state = parse_snapshot(text.substr(0, end), sidecar_path(path));
  if (!state) return state.error();
  const auto rest = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  LoadedState loaded{std::move(state).value(), {}};
  if (auto applied = apply_entries(path, rest, loaded, notes); !applied) return applied.error();
  return std::optional<LoadedState>(std::move(loaded));
}

Sidecar::Sidecar(std::string path, AppendFile entries)
    : path_(std::move(path)), entries_(std::move(entries)), snapshot_bytes_(entries_.length()) {}

Result<Sidecar> Sidecar::create(const std::string& path, const FileState& state) {
  const auto line = snapshot_line(state);
  if (auto replaced = replace_file(sidecar_path(path), line); !replaced) return replaced.error();
  auto entries = AppendFile::open(sidecar_path(path), line.size());
  if (!entries) return entries.error();
  return Sidecar(path, std::move(entries).value());
}

void Sidecar::append(const FileEntry& entry) { entries_.append(entry_line(entry)); }

bool Sidecar::wants_snapshot() const {
  return entries_.length() - snapshot_bytes_ > entries_bytes_max;
}

Result<void> Sidecar::snapshot(const FileState& state) {
  auto next = create(path_, state);
  if (!next) return next.error();
  *this = std::move(next).value();
  return {};
}

}  // namespace ringcast::ringlog
