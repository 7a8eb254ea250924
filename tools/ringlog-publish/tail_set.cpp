// SPDX-License-Identifier: Apache-2.0
//
// Following files through rotation.
#include "tools/ringlog-publish/tail_set.hpp"

#include <algorithm>
#include <cerrno>
#include <fnmatch.h>
#include <glob.h>
#include <optional>
#include <system_error>
#include <utility>

#include "tools/ringlog-publish/rotated_files.hpp"

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

// How often a directory is searched for files that are not where they were.
constexpr std::chrono::seconds seek_interval{5};

}  // namespace

Result<void> TailSet::start(Instant now, std::chrono::sys_seconds date) {
  auto entries = load_checkpoint(options_.checkpoint);
  if (!entries) return entries.error();
  std::error_code error;
  saved_at_ = std::filesystem::last_write_time(options_.checkpoint, error);
  for (const auto& entry : *entries) {
    resume(entry, now, date);
  }
  if (!error) seek_rotated(*entries, now);
  next_seek_ = now + seek_interval;
  return {};
}

bool TailSet::is_asked_for(const std::string& path) const {
  const auto& patterns = options_.patterns;
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) return true;
    const auto found = matches(pattern);
    return std::find(found.begin(), found.end(), path) != found.end();
  });
}

void TailSet::resume(const CheckpointEntry& entry, Instant now, std::chrono::sys_seconds date) {
  changed_ = true;
  if (!is_asked_for(entry.path)) {
    keep_absent(entry, "is not asked for by --tail any more", date);
    return;
  }
  auto open = open_log(entry.path);
  const bool was_cut = open.file && open.file->id.inode == entry.id.inode &&
                       (open.file->size < entry.offset || is_replaced(*open.file, entry));
  if (was_cut && take_up_copy(entry, now)) return;
  if (open.file && is_replaced(*open.file, entry)) {
    note_gone(entry);
    return;
  }
  const bool is_named = open.file && compare(*open.file, entry) == Likeness::same;
  auto file = is_named ? std::move(open.file) : find_renamed(entry);
  if (file) {
    (void)take_up(entry, *file, is_named, now);
  } else if (open.file || open.error == 0 || open.error == ENOENT) {
    keep_absent(entry, "the file read before is not there", date);
  } else {
    keep_absent(entry, "cannot open: " + std::generic_category().message(open.error), date);
  }
}

// Copied and truncated while nobody followed it: what it held is in the copy.
bool TailSet::take_up_copy(const CheckpointEntry& entry, Instant now) {
  for (auto& [path, open] : rotated_since(entry.path, saved_at_)) {
    if (!is_copy(open, entry) || open.size < entry.offset) continue;
    notes_.push_back(entry.path + ": was copied to " + path + " and cut; read on there");
    return take_up(entry, open, false, now);
  }
  return false;
}

// Rotated more than once while nobody followed it: there are files between the one that was
// read last and the one that has its name now. A file with the content of another is its copy.
void TailSet::seek_rotated(const std::vector<CheckpointEntry>& entries, Instant now) {
  std::set<std::string> paths;
  for (const auto& entry : entries) {
    if (is_asked_for(entry.path)) paths.insert(entry.path);
  }
  for (const auto& path : paths) {
    for (auto& rotated : rotated_since(path, saved_at_)) {
      if (is_asked_for(rotated.path) || is_known(rotated.open, entries)) continue;
      notes_.push_back(rotated.path);
      notes_.back().append(": was rotated while nobody followed ").append(path);
      notes_.back().append("; read too");
      add_new(path, rotated.open, false, now);
    }
  }
}

// Followed, or read before, or a copy of what was.
bool TailSet::is_known(const LogFile& open, const std::vector<CheckpointEntry>& entries) {
  if (find(open.id) != nullptr) return true;
  return std::any_of(entries.begin(), entries.end(), [&open](const auto& entry) {
    return entry.id == open.id || is_copy(open, entry);
  });
}

// False when there is nothing to take up: the place in it does not exist any more.
bool TailSet::take_up(CheckpointEntry entry, LogFile& open, bool is_named, Instant now) {
  changed_ = true;
  if (open.size < entry.offset) {
    const auto* const what = is_named ? "read from its beginning" : "what it holds is not sent";
    notes_.push_back(entry.path + ": was cut while nobody followed it; " + what);
    return false;
  }
  entry.id = open.id;
  entry.absent_since.reset();
  const bool is_numbered = entry.filter == filter();
  if (!is_numbered) renumber(entry);
  add(std::move(entry), std::move(open.file), is_named, now).is_saved = is_numbered;
  return true;
}

std::uint64_t TailSet::filter() const {
  const auto* const filter = options_.limits.filter;
  return filter == nullptr ? 0 : filter->fingerprint();
}

// Lines are numbered as they are sent: by other rules the same number means another line.
void TailSet::renumber(CheckpointEntry& entry) {
  entry.producer.id = random_producer();
  entry.seq = 1;
  entry.filter = filter();
  notes_.push_back(
      entry.path +
      ": the rules of include, exclude, replace or sample have changed; lines from "
      "byte " +
      std::to_string(entry.offset) + " on are a new producer's");
}

void TailSet::note_gone(const CheckpointEntry& entry) {
  notes_.push_back(
      entry.path + ": the file read before is gone; what was written to it after byte " +
      std::to_string(entry.offset) + " is not sent");
}

// Without its entry the file would be read from the beginning when it comes back: a volume
// that is mounted late, a permission that is given later, a pattern that is named again.
void TailSet::keep_absent(
    CheckpointEntry entry, const std::string& why, std::chrono::sys_seconds date) {
  if (!entry.absent_since) {
    entry.absent_since = date;
    notes_.push_back(
        entry.path + ": " + why + "; for " + std::to_string(options_.absence_max.count() / 24) +
        " days it is taken up at byte " + std::to_string(entry.offset) + " when it comes back");
  } else if (date - *entry.absent_since >= options_.absence_max) {
    note_gone(entry);
    return;
  }
  absent_.push_back(std::move(entry));
}

// Takes the file up when an absent entry speaks of it; `other`: none does.
Likeness TailSet::match_absent(LogFile& open, const std::string& path, Instant now) {
  for (auto it = absent_.begin(); it != absent_.end(); ++it) {
    const auto likeness = compare(open, *it);
    if (likeness == Likeness::unknown) return likeness;
    if (likeness == Likeness::other && !is_replaced(open, *it)) continue;
    auto entry = std::move(*it);
    absent_.erase(it);
    changed_ = true;
    if (likeness == Likeness::other) {
      note_gone(entry);
      return likeness;
    }
    entry.path = path;
    return take_up(std::move(entry), open, true, now) ? Likeness::same : Likeness::other;
  }
  return Likeness::other;
}

void TailSet::seek_absent(Instant now) {
  if (absent_.empty() || now < next_seek_) return;
  next_seek_ = now + seek_interval;
  std::erase_if(absent_, [&](const CheckpointEntry& entry) {
    if (!is_asked_for(entry.path)) return false;
    auto open = find_renamed(entry);
    if (!open || find(open->id) != nullptr) return false;
    (void)take_up(entry, *open, false, now);
    return true;
  });
}

TailSet::Followed& TailSet::add(
    CheckpointEntry entry, Descriptor file, bool is_named, Instant now) {
  const auto source = next_source_++;
  Followed followed;
  followed.tail =
      std::make_unique<TailFile>(source, std::move(entry), std::move(file), options_.limits);
  followed.is_named = is_named;
  followed.last_growth = now;
  changed_ = true;
  return files_.emplace(source, std::move(followed)).first->second;
}

TailSet::Followed* TailSet::find(const FileId& id) {
  for (auto& [source, followed] : files_) {
    if (!followed.is_over && followed.tail->id() == id) return &followed;
  }
  return nullptr;
}

void TailSet::adopt_path(const std::string& path, Instant now) {
  if (is_compressed(path)) return;
  auto [open, error] = open_log(path);
  if (!open) {
    note_unopened(path, error);
    return;
  }
  if (auto* const known = find(open->id); known != nullptr) {
    unopened_.erase(path);
    known->is_named = true;
    known->tail->set_path(path);
    return;
  }
  const auto likeness = match_absent(*open, path, now);
  note_unopened(path, likeness == Likeness::unknown ? EIO : 0);
  if (likeness != Likeness::other) return;
  add_new(path, *open, true, now);
}

void TailSet::add_new(const std::string& path, LogFile& open, bool is_named, Instant now) {
  CheckpointEntry entry;
  entry.path = path;
  entry.id = open.id;
  entry.filter = filter();
  entry.producer = Producer{random_producer(), options_.name + ":" + path};
  entry.producer.name.resize(std::min(entry.producer.name.size(), producer_name_bytes_max));
  (void)add(std::move(entry), std::move(open.file), is_named, now);
}

// What is no regular file is left alone; a name without a file (a link to nothing, or removed
// in this moment) is like a file that is not there yet.
void TailSet::note_unopened(const std::string& path, int error) {
  if (error == 0 || error == ENOENT) {
    unopened_.erase(path);
    return;
  }
  const auto [known, is_new] = unopened_.emplace(path, error);
  if (!is_new && known->second == error) return;
  known->second = error;
  notes_.push_back(system_error(path, "cannot open", error).message + "; trying again");
}

std::set<std::string> TailSet::matching_paths() {
  std::set<std::string> paths;
  for (const auto& pattern : options_.patterns) {
    const auto found = matches(pattern);
    paths.insert(found.begin(), found.end());
    if (!found.empty()) {
      unmatched_.erase(pattern);
    } else if (unmatched_.insert(pattern).second) {
      notes_.push_back(pattern + ": matches no file, or its directory cannot be read");
    }
  }
  return paths;
}

void TailSet::scan(Instant now) {
  for (auto& [source, followed] : files_) {
    followed.is_named = false;
  }
  const auto paths = matching_paths();
  std::erase_if(unopened_, [&](const auto& item) { return !paths.contains(item.first); });
  for (const auto& path : paths) {
    adopt_path(path, now);
  }
  seek_absent(now);
  for (auto& [source, followed] : files_) {
    if (followed.is_named) {
      followed.renamed_at.reset();
    } else if (!followed.renamed_at) {
      followed.renamed_at = now;
    }
  }
}

bool TailSet::has_trouble() const {
  const bool has_unread = std::any_of(
      files_.begin(), files_.end(), [](const auto& item) { return !item.second.trouble.empty(); });
  return has_unread || !unopened_.empty() || !unmatched_.empty();
}

bool TailSet::is_held_up() const {
  return std::any_of(
      files_.begin(), files_.end(), [](const auto& item) { return !item.second.is_saved; });
}

std::size_t TailSet::poll(std::size_t bytes_max, Instant now, const RecordSink& sink) {
  scan(now);
  look_for_cuts(now, sink);
  if (is_held_up()) try_save(now);
  const auto total = read_all(bytes_max, now, sink);
  std::erase_if(files_, [&](const auto& item) {
    const bool done = item.second.is_over && item.second.tail->is_settled();
    changed_ = changed_ || done;
    return done;
  });
  return total;
}

std::size_t TailSet::read_all(std::size_t bytes_max, Instant now, const RecordSink& sink) {
  std::vector<std::uint32_t> order;
  for (const auto& [source, followed] : files_) {
    if (!followed.is_over && followed.is_saved) order.push_back(source);
  }
  // The oldest first; but after a round that ended early begin where it ended, so that a busy
  // file cannot starve the others.
  const auto first = std::upper_bound(order.begin(), order.end(), next_to_read_);
  std::rotate(order.begin(), first, order.end());
  std::size_t total = 0;
  for (const auto source : order) {
    if (total >= bytes_max) break;
    next_to_read_ = source;
    total += read_one(files_.at(source), bytes_max - total, now, sink);
  }
  if (total < bytes_max) next_to_read_ = 0;
  return total;
}

std::size_t TailSet::read_one(
    Followed& followed, std::size_t bytes_max, Instant now, const RecordSink& sink) {
  const auto got = followed.tail->read(bytes_max, sink);
  if (!got) {
    const auto trouble = std::exchange(followed.trouble, got.error().message);
    if (trouble != followed.trouble) notes_.push_back(followed.trouble + "; trying again");
    return 0;
  }
  note_too_long(*followed.tail);
  followed.trouble.clear();
  if (*got > 0) {
    followed.last_growth = now;
    changed_ = true;
  } else {
    end_idle(followed, now, sink);
  }
  return *got;
}

void TailSet::note_too_long(TailFile& tail) {
  for (const auto bytes : tail.too_long()) {
    ++too_long_;
    notes_.push_back(
        tail.path() + ": a line of " + std::to_string(bytes) + " bytes is longer than --max-line " +
        std::to_string(options_.limits.line_bytes_max) +
        " and was not sent; its length is on record");
  }
}

void TailSet::look_for_cuts(Instant now, const RecordSink& sink) {
  std::vector<std::uint32_t> cut;
  for (auto& [source, followed] : files_) {
    if (!followed.is_over && followed.tail->look()) cut.push_back(source);
  }
  for (const auto source : cut) {
    begin_again(files_.at(source), now, sink);
  }
}

// Cut by its writer (copy and truncate): what follows is another producer's.
void TailSet::begin_again(Followed& followed, Instant now, const RecordSink& sink) {
  const auto path = followed.tail->path();
  const auto id = followed.tail->id();
  const auto lost = followed.tail->unread();
  has_lost_ = has_lost_ || lost > 0;
  notes_.push_back(
      path + ": was cut; read from its beginning" +
      (lost > 0 ? "; " + std::to_string(lost) + " bytes were not read before and are lost" : ""));
  followed.tail->finish(sink);
  note_too_long(*followed.tail);
  followed.is_over = true;
  followed.is_cut = true;
  auto open = open_log(path).file;
  if (!open || open->id != id) return;  // renamed too: the next scan finds what is there
  CheckpointEntry entry;
  entry.path = path;
  entry.id = id;
  entry.filter = filter();
  entry.producer = followed.tail->checkpoint().producer;
  entry.producer.id = random_producer();
  (void)add(std::move(entry), std::move(open->file), true, now);
}

// Another file at the path this one had, and its writer has gone over to it.
bool TailSet::has_successor(const Followed& followed) const {
  return std::any_of(files_.begin(), files_.end(), [&](const auto& item) {
    const auto& other = item.second;
    return other.is_named && other.tail->path() == followed.tail->path() &&
           other.tail->offset() > 0 && other.last_growth >= followed.renamed_at;
  });
}

void TailSet::end_idle(Followed& followed, Instant now, const RecordSink& sink) {
  if (followed.is_named) return;
  const auto idle = now - followed.last_growth;
  const bool deleted = followed.tail->links() == 0;
  // Its writer may hold it open long after the rename, and other files say nothing about that;
  // only when its successor grows and it does not is it over.
  if (deleted ? idle < options_.deleted_grace
              : idle < options_.renamed_grace || !has_successor(followed)) {
    return;
  }
  followed.tail->finish(sink);
  note_too_long(*followed.tail);
  followed.is_over = true;
  changed_ = true;
}

void TailSet::finish(const RecordSink& sink) {
  for (auto& [source, followed] : files_) {
    if (followed.is_over || !followed.is_saved || !followed.trouble.empty()) continue;
    followed.tail->finish(sink);
    note_too_long(*followed.tail);
    changed_ = true;
  }
}

void TailSet::leave() {
  for (auto& [source, followed] : files_) {
    auto& tail = *followed.tail;
    const bool is_deleted = !followed.is_cut && tail.links() == 0;
    if (!followed.is_cut && !is_deleted) continue;
    const auto lines = tail.unsettled_lines();
    const auto bytes = is_deleted && !tail.look() ? tail.unread() + tail.unfinished() : 0;
    if (lines == 0 && bytes == 0) continue;
    has_lost_ = true;
    notes_.push_back(
        tail.path() + ": was " + (is_deleted ? "deleted" : "cut") +
        "; lost with it: " + std::to_string(lines) + " lines that are not confirmed, " +
        std::to_string(bytes) + " bytes that were not sent");
  }
}

void TailSet::on_settled(Origin origin) {
  const auto it = files_.find(origin.source);
  if (it == files_.end()) return;
  it->second.tail->on_settled(origin.mark);
  changed_ = true;
}

Result<void> TailSet::save() {
  if (!changed_) return {};
  auto entries = absent_;
  for (const auto& [source, followed] : files_) {
    // There is nothing to come back for in one that has settled, and no way in one that was cut.
    if (followed.is_cut || (followed.is_over && followed.tail->is_settled())) continue;
    entries.push_back(followed.tail->checkpoint());
  }
  if (auto saved = save_checkpoint(options_.checkpoint, entries); !saved) return saved;
  changed_ = false;
  for (auto& [source, followed] : files_) {
    followed.is_saved = true;
  }
  return {};
}

void TailSet::try_save(Instant now) {
  if (!saving_.may_try(now)) return;
  const auto saved = save();
  if (saved) {
    saving_.on_success(now);
  } else if (saving_.on_failure(saved.error().message, now)) {
    notes_.push_back(saved.error().message + "; trying again, new files wait for it");
  }
}

std::vector<std::string> TailSet::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
