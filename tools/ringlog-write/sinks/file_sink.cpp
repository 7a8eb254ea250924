// SPDX-License-Identifier: Apache-2.0
//
// Steps over files.
#include "tools/ringlog-write/sinks/file_sink.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <xxhash.h>

namespace ringcast::ringlog {

namespace {

constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::size_t single_syncs_max = 32;  // beyond, the whole file system is synced once
constexpr int rotated_names_max = 10000;

// Which file systems were written to, with a descriptor on each.
Result<void> sync_file_systems(const std::vector<std::string>& paths) {
  std::map<dev_t, bool> synced;
  for (const auto& path : paths) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file.is_open()) return system_error(path, "cannot open", errno);
    if (::fstat(file.get(), &status) != 0) return system_error(path, "cannot stat", errno);
    if (std::exchange(synced[status.st_dev], true)) continue;
    if (::syncfs(file.get()) != 0) return system_error(path, "cannot sync", errno);
  }
  return {};
}

}  // namespace

FileSink::FileSink(FileSinkOptions options, std::string group, std::string memory, Tell tell)
    : options_(std::move(options)),
      group_(std::move(group)),
      memory_path_(std::move(memory)),
      tell_(std::move(tell)) {}

Result<std::optional<SinkPosition>> FileSink::open(const std::string& /*journal*/) {
  auto path = PathTemplate::parse(options_.path, options_.utc);
  if (!path) return path.error();
  template_.emplace(std::move(path).value());
  const auto owner = parse_owner(options_.owner);
  if (!owner) return owner.error();
  files_.emplace(OpenFiles::Options{
      static_cast<std::size_t>(options_.open_max), static_cast<mode_t>(options_.mode), *owner});
  auto memory = FileMemory::open(memory_path_, options_.sync);
  if (!memory) return memory.error();
  memory_.emplace(std::move(memory).value());
  if (auto undone = undo(); !undone) return undone.error();
  if (options_.compress != Compression::none && !compressor_) {
    compressor_ = std::make_unique<Compressor>(options_.compress, tell_);
    for (const auto& closing : memory_->closing()) {
      compressor_->add(closing);
    }
  }
  return memory_->position();
}

Result<void> FileSink::undo() {
  for (const auto& file : memory_->touched()) {
    const Descriptor there(::open(file.path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!there.is_open() && errno == ENOENT) continue;
    struct stat status {};
    if (!there.is_open() || ::fstat(there.get(), &status) != 0) {
      return system_error(file.path, "cannot open for writing", errno);
    }
    if (std::cmp_greater(status.st_size, file.length) &&
        ::ftruncate(there.get(), static_cast<off_t>(file.length)) != 0) {
      return system_error(file.path, "cannot cut off an unfinished end", errno);
    }
  }
  return {};
}

Result<void> FileSink::reopen() {
  files_->close_all();
  return {};
}

Result<void> FileSink::write(const SinkBatch& batch) {
  note_compressed();
  Step step;
  std::uint64_t done = batch.begin;
  for (const auto& line : batch.lines) {
    auto added = add(step, line);
    if (added && !*added) {
      // Its file is full with this step.
      if (auto carried = carry_out(step, {batch.journal, done}); !carried) return carried;
      step.clear();
      added = add(step, line);
    }
    if (!added) return added.error();
    done = line.journal->end;
  }
  return carry_out(step, {batch.journal, batch.end});
}

std::string FileSink::path_of(const SinkLine& line) {
  const auto& origin = line.journal->origin;
  PathFields fields;
  fields.group = group_;
  if (line.journal->is_marker) return template_->path(origin.time_ms, fields, marker_name);
  fields.publisher = origin.source->name;
  fields.daemon = origin.source->daemon;
  fields.vhost = line.vhost;
  if (!template_->has_fields()) return template_->path(origin.time_ms, fields, std::nullopt);
  const auto words = template_->words(fields);
  if (memory_->admit(XXH3_64bits(words.data(), words.size()), options_.names_max)) {
    return template_->path(origin.time_ms, fields, std::nullopt);
  }
  auto path = template_->path(origin.time_ms, fields, further_names);
  if (!std::exchange(told_names_, true)) {
    tell_(
        "there are more than " + std::to_string(options_.names_max) +
        " names of publishers, daemons or virtual hosts; lines of further ones go to " + path +
        "; raise names_max if they are real");
  }
  return path;
}

bool FileSink::is_other_period(std::int64_t time_ms) {
  if (options_.compress == Compression::none || !template_->has_time()) return false;
  return template_->period(time_ms) != memory_->period();
}

// What depends on time has changed: the files of the time before are complete.
void FileSink::begin_period(std::int64_t time_ms) {
  for (const auto& path : memory_->next_period(template_->period(time_ms))) {
    close_for_good(path);
  }
}

Result<bool> FileSink::add(Step& step, const SinkLine& line) {
  const auto time_ms = line.journal->origin.time_ms;
  if (is_other_period(time_ms)) {
    if (!step.empty()) return false;
    begin_period(time_ms);
  }
  const auto path = path_of(line);
  auto growth = step.find(path);
  const bool is_in_step = growth != step.end();
  if (!is_in_step) {
    const auto file = files_->open(path);
    if (!file) return file.error();
    growth = step.emplace(path, Growth{{}, (*file)->length, (*file)->time_ms}).first;
  }
  if (wants_rotation(growth->second, line)) {
    if (is_in_step) return false;
    if (auto rotated = rotate(path, time_ms); !rotated) return rotated.error();
    growth->second = Growth{};
  }
  growth->second.text += line.text;
  growth->second.text += '\n';
  growth->second.time_ms = time_ms;
  return true;
}

bool FileSink::wants_rotation(const Growth& growth, const SinkLine& line) const {
  const auto length = growth.length + growth.text.size();
  if (length == 0) return false;
  if (options_.rotate_bytes > 0 && length + line.text.size() + 1 > options_.rotate_bytes) {
    return true;
  }
  return options_.rotate_every.count() > 0 &&
         rotation_period(growth.time_ms) != rotation_period(line.journal->origin.time_ms);
}

std::int64_t FileSink::rotation_period(std::int64_t time_ms) const {
  const auto second = time_ms / ms_per_second;
  return (second + broken_down(second, options_.utc).tm_gmtoff) / options_.rotate_every.count();
}

Result<void> FileSink::rotate(const std::string& path, std::int64_t time_ms) {
  files_->close(path);
  const auto parts = broken_down(time_ms / ms_per_second, true);
  std::array<char, 32> stamp{};
  (void)std::strftime(stamp.data(), stamp.size(), "~%Y%m%dT%H%M%SZ", &parts);
  for (int number = 0; number < rotated_names_max; ++number) {
    const auto name = path + stamp.data() + (number > 0 ? "-" + std::to_string(number) : "");
    if (::access((name + suffix_of(options_.compress)).c_str(), F_OK) == 0) continue;
    if (options_.compress != Compression::none) {
      memory_->close(name);
      if (auto kept = memory_->keep(); !kept) return kept;
    }
    // Not rename(): it would replace what has the name.
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) continue;
      return system_error(path, "cannot rename it to " + name, errno);
    }
    close_for_good(name);
    return options_.sync ? sync_directory_of(name) : Result<void>{};
  }
  return Error{Errc::io, path + ": too many rotated files in one second"};
}

void FileSink::close_for_good(const std::string& path) {
  files_->close(path);
  if (options_.compress == Compression::none) return;
  memory_->close(path);
  compressor_->add(path);
}

void FileSink::note_compressed() {
  if (!compressor_) return;
  for (const auto& path : compressor_->take_done()) {
    memory_->closed(path);
  }
}

Result<void> FileSink::carry_out(const Step& step, const SinkPosition& position) {
  std::vector<TouchedFile> touched;
  std::vector<std::string> paths;
  for (const auto& [path, growth] : step) {
    touched.push_back(TouchedFile{path, growth.length});
    paths.push_back(path);
    if (template_->has_time() && options_.compress != Compression::none) memory_->use(path);
  }
  if (!step.empty()) {
    if (auto begun = memory_->begin(touched); !begun) return begun;
  }
  const bool is_single = options_.sync && step.size() <= single_syncs_max;
  for (const auto& [path, growth] : step) {
    if (auto grown = grow(path, growth, is_single); !grown) return grown;
  }
  if (options_.sync && !is_single) {
    if (auto synced = sync_file_systems(paths); !synced) return synced;
  }
  return memory_->commit(position);
}

Result<void> FileSink::grow(const std::string& path, const Growth& growth, bool is_synced) {
  const auto opened = files_->open(path);
  if (!opened) return opened.error();
  auto& file = **opened;
  if (auto appended = append_to(file, growth.text); !appended) return appended;
  file.time_ms = growth.time_ms;
  if (options_.rotate_every.count() > 0) {
    const timespec time{growth.time_ms / ms_per_second, growth.time_ms % ms_per_second * ns_per_ms};
    const std::array<timespec, 2> times{time, time};
    if (::futimens(file.descriptor.get(), times.data()) != 0) {
      return system_error(path, "cannot set its time", errno);
    }
  }
  if (!is_synced) return {};
  if (::fdatasync(file.descriptor.get()) != 0) return system_error(path, "cannot sync", errno);
  return std::exchange(file.is_new, false) ? sync_directory_of(path) : Result<void>{};
}

void FileSink::wait_for_compression() {
  if (compressor_) compressor_->wait();
}

}  // namespace ringcast::ringlog
