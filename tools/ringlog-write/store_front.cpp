// SPDX-License-Identifier: Apache-2.0
//
// Store: the front of the file. What is not to be kept is released: first the sidecar says where
// the file begins from now on, then the bytes in front are given back; whoever is killed in
// between gives them back at its next start. A writer that misses what nobody keeps any more goes
// on behind another one's front.
#include <cerrno>
#include <limits>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog-write/store.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

bool is_unsupported(int error_number) {
  return error_number == EOPNOTSUPP || error_number == ENOSYS;
}

// Of lines and losses.
Table names_in(const std::vector<FileEntry>& entries) {
  Table names;
  for (const auto& entry : entries) {
    for (const auto& addition : entry.additions) {
      if (addition.as != AddedAs::gap) (void)names.add(addition.producer, addition.range);
    }
  }
  return names;
}

}  // namespace

std::int64_t Store::time_ms() const {
  if (options_.calls.time_ms) return options_.calls.time_ms();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Asked of bytes that are not there, far behind the end.
void Store::find_out_about_holes() {
  constexpr std::uint64_t far = std::uint64_t{1} << 30U;
  const auto from = written_.end.length + far;
  if (options_.calls.release(file_->fd(), from, from + far) == 0 || !is_unsupported(errno)) return;
  can_release_ = false;
  options_.tell(
      options_.path +
      ": its file system cannot give back parts of a file, so all of it is kept; put it on ext4, "
      "xfs, btrfs or tmpfs, or leave out the limit");
}

void Store::release_if_due(Instant now) {
  if (now < next_release_ || !release_trouble_.may_try(now)) return;
  const bool is_left = given_back_ < begins().length;
  if (!is_left && !(options_.keep.is_limited() && can_release_)) return;
  if (!is_kept()) return;
  next_release_ = now + options_.sync_interval;
  const auto read_by_all =
      options_.observer == nullptr ? everything : options_.observer->read_by_all();
  auto done = release_front(read_by_all);
  if (done) done = give_back(read_by_all);
  if (done) {
    if (release_trouble_.on_success(now)) options_.tell(options_.path + ": released again");
  } else if (release_trouble_.on_failure(done.error().message, now)) {
    options_.tell(done.error().message + "; nothing is lost, trying again");
  }
}

// The first entry alone decides, so that the question costs next to nothing.
Result<bool> Store::is_release_due() const {
  std::optional<FileEntry> first;
  bool is_due = false;
  const auto visited = history_->visit([&](const FileEntry& entry) {
    if (first) {
      const auto behind = written_.end.length - first->after.length;
      is_due = options_.keep.is_far_over(behind, entry.time_ms, time_ms());
      return false;
    }
    first = entry;
    return true;
  });
  if (!visited) return visited.error();
  return is_due;
}

// An entry is as young as the one behind it is old: it may have grown until then.
Result<void> Store::release_front(std::uint64_t read_by_all) {
  if (!options_.keep.is_limited() || !can_release_) return {};
  const auto is_due = is_release_due();
  if (!is_due) return is_due.error();
  if (!*is_due) return {};
  if (auto settled = history_->settle(); !settled) return settled;
  auto next = written_;
  std::optional<FileEntry> last;
  bool is_held = false;
  const auto visited = history_->visit([&](const FileEntry& entry) {
    if (last) {
      const auto behind = written_.end.length - last->after.length;
      const bool is_over = options_.keep.is_over(behind, entry.time_ms, time_ms());
      is_held = is_over && last->after.length > read_by_all;
      if (!is_over || is_held) return false;
      release(next.front, *last);
    }
    last = entry;
    return true;
  });
  if (!visited) return visited.error();
  tell_held(is_held);
  if (next.front.begins == begins()) return {};
  std::erase_if(next.markers, [&](const FileMarker& marker) {
    return marker.offset < next.front.begins.length;
  });
  if (auto saved = sidecar_->snapshot(next); !saved) return saved;
  written_ = std::move(next);
  return history_->forget_front(begins());
}

void Store::tell_held(bool is_held) {
  if (is_held && !told_held_) {
    options_.tell(
        options_.path +
        ": is longer than it is to be, since a sink has not taken what stands behind byte " +
        std::to_string(begins().length) +
        "; it is kept until all have, or the slow one is gone from the configuration");
  }
  told_held_ = is_held;
}

// A part that sinks still read, in front of a jump, goes when the last one has jumped.
Result<void> Store::give_back(std::uint64_t read_by_all) {
  const auto to = begins().length;
  if (given_back_ >= to || read_by_all < to) return {};
  if (options_.calls.release(file_->fd(), 0, to) != 0) {
    if (!is_unsupported(errno)) return system_error(options_.path, "cannot release", errno);
    given_back_ = to;  // a copy on another file system; it is kept as it is
    return {};
  }
  const auto stale = history_->stale_bytes();
  if (stale > 0 && options_.calls.release(history_->fd(), 0, stale) != 0) {
    return system_error(history_path(options_.path), "cannot release", errno);
  }
  if (options_.observer != nullptr) options_.observer->on_release(begins());
  given_back_ = to;
  return {};
}

// Sinks read on to where our lines end, or to the last entry in front of where the others begin,
// and hear there what they miss.
Result<void> Store::tell_jump(const FileFront& front) {
  if (options_.observer == nullptr) return {};
  FileJump jump{written_.end, front.begins, begins().length, {}};
  auto missing = front.table.minus(written_.table);
  if (front.begins.length < begins().length) {
    jump.from = front.begins;
  } else if (front.begins.length < written_.end.length) {
    const auto entries = history_->from(front.begins.length, everything);
    if (!entries) return entries.error();
    jump.from = entries->front().before;
    const auto unread = names_in(*entries);
    missing.merge(unread.minus(unread.minus(front.table)));
  }
  if (jump.from.length < written_.end.length) {
    if (auto cut = options_.observer->on_cut(jump.from.length); !cut) return cut;
  }
  if (jump.from.length >= jump.to.length) return {};
  jump.marker = unkept_marker(missing, jump.from.length, jump.from.lines, jump.to);
  return options_.observer->on_jump(jump);
}

// As in cut(): first what would be lost, then the sidecar, which decides what a start makes of it.
Result<std::uint64_t> Store::go_on_behind(const FileFront& front, Instant now) {
  std::uint64_t lines = 0;
  if (!written_.table.minus(front.table).empty()) {
    auto ignored = written_;
    const auto aside = set_tail_aside(begins(), front.table, ignored);
    if (!aside) return aside.error();
    lines = *aside;
  }
  if (auto told = tell_jump(front); !told) return told.error();
  const auto begin = front.begins.length;
  if (begin > file_->length()) {
    if (::ftruncate(file_->fd(), static_cast<off_t>(begin)) != 0) {
      return system_error(options_.path, "cannot write", errno);
    }
    if (auto synced = file_->sync(); !synced) return synced.error();
  }
  FileState state{written_.group, front, front.begins, {}, front.table, front.gaps, {}};
  if (auto saved = sidecar_->snapshot(state); !saved) return saved.error();
  auto file = AppendFile::open(options_.path, begin);
  if (!file) return file.error();
  file_.emplace(std::move(file).value());
  use_calls(*file_);
  if (auto begun = history_->begin_anew(front.begins); !begun) return begun.error();
  history_->set_calls(options_.calls.write, options_.calls.sync);
  const auto lines_written = planned_.lines - lines_before_;
  written_ = std::move(state);
  planned_ = written_.end;
  lines_before_ = planned_.lines - std::min(planned_.lines, lines_written);
  given_back_ = 0;
  dirty_ = true;
  next_sync_ = std::min(next_sync_, now + options_.sync_interval);
  return lines;
}

}  // namespace ringcast::ringlog
