// SPDX-License-Identifier: Apache-2.0
//
// Following files through rotation.
#include "tools/ringlog-publish/tail_set.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <glob.h>
#include <optional>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

// What logrotate makes of finished logs; its lines were read before.
bool is_compressed(std::string_view path) {
  constexpr std::array<std::string_view, 4> endings = {".gz", ".xz", ".zst", ".bz2"};
  return std::any_of(
      endings.begin(), endings.end(), [path](auto end) { return path.ends_with(end); });
}

struct OpenFile {
  Descriptor file;
  FileId id;
  std::uint64_t size{0};
};

std::optional<OpenFile> open_regular(const std::string& path) {
  // O_NONBLOCK: a fifo of that name must not hold us up.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return OpenFile{
      std::move(file),
      FileId{status.st_dev, status.st_ino},
      static_cast<std::uint64_t>(status.st_size)};
}

// The same file as in the checkpoint, perhaps under another name. A device number can change
// at a reboot; where the first bytes agree it is not asked.
bool is_same(const OpenFile& open, const CheckpointEntry& entry) {
  if (open.id.inode != entry.id.inode) return false;
  if (entry.fingerprint.bytes == 0) return open.id == entry.id;
  const auto fingerprint = fingerprint_of(open.file.get(), entry.fingerprint.bytes);
  return fingerprint && *fingerprint == entry.fingerprint;
}

std::optional<OpenFile> find_renamed(const CheckpointEntry& entry, std::string& path) {
  auto directory = std::filesystem::path(entry.path).parent_path();
  if (directory.empty()) directory = ".";
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(directory, error)) {
    auto open = open_regular(item.path().string());
    if (!open || !is_same(*open, entry)) continue;
    path = item.path().string();
    return open;
  }
  return std::nullopt;
}

}  // namespace

Result<void> TailSet::start(Instant now) {
  auto entries = load_checkpoint(options_.checkpoint);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    resume(entry, now);
  }
  return {};
}

void TailSet::resume(const CheckpointEntry& entry, Instant now) {
  changed_ = true;
  auto path = entry.path;
  auto open = open_regular(path);
  if (!open || !is_same(*open, entry)) open = find_renamed(entry, path);
  if (!open) {
    notes_.push_back(
        entry.path + ": the file read before is gone; what was written to it after byte " +
        std::to_string(entry.offset) + " is not sent");
    return;
  }
  if (open->size < entry.offset) {
    notes_.push_back(path + ": was cut while nobody followed it; read from its beginning");
    return;
  }
  auto taken_up = entry;
  taken_up.path = path;
  taken_up.id = open->id;
  add(std::move(taken_up), std::move(open->file), path == entry.path, now);
}

void TailSet::add(CheckpointEntry entry, Descriptor file, bool is_named, Instant now) {
  const auto source = next_source_++;
  Followed followed;
  followed.tail =
      std::make_unique<TailFile>(source, std::move(entry), std::move(file), options_.limits);
  followed.is_named = is_named;
  followed.last_growth = now;
  files_.emplace(source, std::move(followed));
  changed_ = true;
}

TailSet::Followed* TailSet::find(const FileId& id) {
  for (auto& [source, followed] : files_) {
    if (!followed.is_over && followed.tail->id() == id) return &followed;
  }
  return nullptr;
}

Result<void> TailSet::adopt_path(const std::string& path, Instant now) {
  if (is_compressed(path)) return {};
  auto open = open_regular(path);
  if (!open) return {};
  if (auto* const known = find(open->id); known != nullptr) {
    known->is_named = true;
    known->tail->set_path(path);
    return {};
  }
  CheckpointEntry entry;
  entry.path = path;
  entry.id = open->id;
  entry.producer = Producer{random_producer(), options_.name + ":" + path};
  entry.producer.name.resize(std::min(entry.producer.name.size(), producer_name_bytes_max));
  add(std::move(entry), std::move(open->file), true, now);
  return {};
}

Result<void> TailSet::scan(Instant now) {
  for (auto& [source, followed] : files_) {
    followed.is_named = false;
  }
  std::set<std::string> paths;
  for (const auto& pattern : options_.patterns) {
    const auto found = matches(pattern);
    paths.insert(found.begin(), found.end());
  }
  const auto before = next_source_;
  for (const auto& path : paths) {
    if (auto adopted = adopt_path(path, now); !adopted) return adopted;
  }
  // A producer id must be on disk before its first line leaves: after a crash the same line
  // must get the same name.
  if (next_source_ != before) return save();
  return {};
}

Result<std::size_t> TailSet::poll(std::size_t bytes_max, Instant now, const RecordSink& sink) {
  if (auto scanned = scan(now); !scanned) return scanned.error();
  std::vector<std::uint32_t> order;
  for (const auto& [source, followed] : files_) {
    if (!followed.is_over) order.push_back(source);
  }
  // The oldest first; but after a round that ended early begin where it ended, so that a busy
  // file cannot starve the others.
  const auto first = std::upper_bound(order.begin(), order.end(), next_to_read_);
  std::rotate(order.begin(), first, order.end());
  std::size_t total = 0;
  for (const auto source : order) {
    if (total >= bytes_max) break;
    next_to_read_ = source;
    const auto got = read_one(files_.at(source), bytes_max - total, now, sink);
    if (!got) return got.error();
    total += *got;
  }
  if (total < bytes_max) next_to_read_ = 0;
  std::erase_if(files_, [&](const auto& item) {
    const bool done = item.second.is_over && item.second.tail->is_settled();
    changed_ = changed_ || done;
    return done;
  });
  return total;
}

Result<std::size_t> TailSet::read_one(
    Followed& followed, std::size_t bytes_max, Instant now, const RecordSink& sink) {
  if (followed.tail->is_truncated()) {
    if (auto again = begin_again(followed, now, sink); !again) return again.error();
    return std::size_t{0};
  }
  const auto got = followed.tail->read(bytes_max, sink);
  if (!got) {
    notes_.push_back(got.error().message);
    return std::size_t{0};
  }
  if (*got > 0) {
    followed.last_growth = now;
    changed_ = true;
  } else {
    end_idle(followed, now, sink);
  }
  return *got;
}

// Cut by its writer (copy and truncate): what follows is another producer's.
Result<void> TailSet::begin_again(Followed& followed, Instant now, const RecordSink& sink) {
  const auto path = followed.tail->path();
  const auto id = followed.tail->id();
  notes_.push_back(path + ": was cut; read from its beginning");
  followed.tail->finish(sink);
  followed.is_over = true;
  followed.is_cut = true;
  auto open = open_regular(path);
  if (!open || open->id != id) return {};  // renamed too: the next scan finds what is there
  CheckpointEntry entry;
  entry.path = path;
  entry.id = id;
  entry.producer = followed.tail->checkpoint().producer;
  entry.producer.id = random_producer();
  add(std::move(entry), std::move(open->file), true, now);
  return save();
}

bool TailSet::has_successor(const Followed& followed) const {
  return std::any_of(files_.begin(), files_.end(), [&](const auto& item) {
    return item.second.is_named && item.second.tail->offset() > 0 &&
           item.second.tail->source() > followed.tail->source();
  });
}

void TailSet::end_idle(Followed& followed, Instant now, const RecordSink& sink) {
  if (followed.is_named) return;
  const auto idle = now - followed.last_growth;
  const bool deleted = followed.tail->links() == 0;
  // Its writer may hold it open long after the rename; only when its successor grows and it
  // does not is it over.
  if (deleted ? idle < options_.deleted_grace
              : idle < options_.renamed_grace || !has_successor(followed)) {
    return;
  }
  followed.tail->finish(sink);
  followed.is_over = true;
  changed_ = true;
}

void TailSet::on_settled(Origin origin) {
  const auto it = files_.find(origin.source);
  if (it == files_.end()) return;
  it->second.tail->on_settled(origin.mark);
  changed_ = true;
}

Result<void> TailSet::save() {
  if (!changed_) return {};
  std::vector<CheckpointEntry> entries;
  for (const auto& [source, followed] : files_) {
    // There is nothing to come back for in one that has settled, and no way in one that was cut.
    if (followed.is_cut || (followed.is_over && followed.tail->is_settled())) continue;
    entries.push_back(followed.tail->checkpoint());
  }
  if (auto saved = save_checkpoint(options_.checkpoint, entries); !saved) return saved;
  changed_ = false;
  return {};
}

std::vector<std::string> TailSet::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
