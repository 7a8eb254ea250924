// SPDX-License-Identifier: Apache-2.0
//
// What the writer's thread tells the sinks'.
#include "tools/ringlog-write/sinks/journal.hpp"

#include <algorithm>
#include <fcntl.h>
#include <limits>
#include <utility>
#include <vector>

#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/sparse_lines.hpp"

namespace ringcast::ringlog {

namespace {

// In front of the last jump something is left, unless it was given back.
std::uint64_t front_of(
    const std::string& path, const std::vector<FileJump>& jumps, std::uint64_t begins) {
  if (jumps.empty() || jumps.back().to.length != begins) return begins;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto front = jumps.back().front;
  const bool is_left = file.is_open() && first_data(file.get(), front) < jumps.back().from.length;
  return is_left ? front : begins;
}

}  // namespace

Journal::Hold::Hold(Journal& journal) : journal_(journal) { set(0); }

Journal::Hold::~Hold() {
  const std::lock_guard lock(journal_.mutex_);
  journal_.holds_.erase(this);
}

void Journal::Hold::set(std::uint64_t place) {
  const std::lock_guard lock(journal_.mutex_);
  journal_.holds_[this] = place;
}

std::uint64_t Journal::read_by_all() {
  const std::lock_guard lock(mutex_);
  auto least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [hold, place] : holds_) {
    least = std::min(least, place);
  }
  return least;
}

Result<void> Journal::on_jump(const FileJump& jump) {
  landed_ = jump.to;
  return log_->jump(jump);
}

void Journal::on_release(const FilePoint& begins) {
  if (auto released = log_->release(begins.length); !released) {
    options_.tell(released.error().message);
  }
  const std::lock_guard lock(mutex_);
  jumps_ = log_->jumps();
  begins_ = begins;
  front_ = begins.length;
}

std::uint64_t Journal::readable(std::uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  for (const auto& jump : jumps_) {
    if (offset < jump.from.length && jump.to.length <= kept_) return jump.from.length;
  }
  return kept_;
}

std::uint64_t Journal::front() const {
  const std::lock_guard lock(mutex_);
  return front_;
}

std::optional<FileJump> Journal::jump_at(std::uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  for (const auto& jump : jumps_) {
    if (offset >= jump.from.length && offset < jump.to.length) return jump;
  }
  if (offset >= front_) return std::nullopt;
  FileJump lost;  // its sink has lost lines, or comes back after a long time
  lost.from.length = offset;
  lost.to = FilePoint{front_, front_ == begins_.length ? begins_.lines : 0, 0};
  lost.marker = unkept_marker(Table{}, offset, std::nullopt, lost.to);
  return lost;
}

Result<void> Journal::on_open(const FileState& state) {
  std::vector<std::string> notes;
  auto log = OriginLog::open(options_.path, state, notes);
  for (const auto& note : notes) {
    options_.tell(note);
  }
  if (!log) return log.error();
  log_.emplace(std::move(log).value());
  {
    const std::lock_guard lock(mutex_);
    id_ = log_->journal();
    cuts_ = log_->cuts();
    jumps_ = log_->jumps();
    kept_ = state.end.length;
    begins_ = state.front.begins;
    front_ = front_of(options_.path, jumps_, begins_.length);
  }
  changed_.notify_all();
  return {};
}

// Sinks see the shorter journal, under its new name, before anything is cut.
Result<void> Journal::on_cut(std::uint64_t length) {
  if (auto cut = log_->cut(length); !cut) return cut;
  {
    const std::lock_guard lock(mutex_);
    id_ = log_->journal();
    cuts_ = log_->cuts();
    jumps_ = log_->jumps();
    kept_ = std::min(kept_, length);
    front_ = std::min(front_, length);
  }
  changed_.notify_all();
  return {};
}

std::optional<std::uint64_t> Journal::place_of(const std::string& id, std::uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  auto cut = std::find_if(
      cuts_.begin(), cuts_.end(), [&](const JournalCut& item) { return item.journal == id; });
  if (cut == cuts_.end() && id != id_) return std::nullopt;
  for (; cut != cuts_.end(); ++cut) {
    offset = std::min(offset, cut->length);
  }
  return offset;
}

void Journal::on_take(std::uint64_t offset, const ReconcilerOutput& output) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  log_->append(offset, output, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void Journal::on_kept(std::uint64_t length) {
  {
    const std::lock_guard lock(mutex_);
    kept_ = length;
    if (landed_) {
      jumps_ = log_->jumps();
      begins_ = *landed_;
    }
  }
  landed_.reset();
  changed_.notify_all();
}

std::string Journal::id() const {
  const std::lock_guard lock(mutex_);
  return id_;
}

std::uint64_t Journal::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

void Journal::wait_open(const std::function<bool()>& is_over) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_over() || !id_.empty(); });
}

void Journal::wait(
    std::uint64_t beyond,
    std::optional<Clock::time_point> deadline,
    const std::function<bool()>& is_over) {
  std::unique_lock lock(mutex_);
  const auto is_done = [&] { return is_over() || kept_ > beyond; };
  if (deadline) {
    changed_.wait_until(lock, *deadline, is_done);
  } else {
    changed_.wait(lock, is_done);
  }
}

void Journal::wake() {
  {
    const std::lock_guard lock(mutex_);  // so that no wait is between its question and its sleep
  }
  changed_.notify_all();
}

}  // namespace ringcast::ringlog
