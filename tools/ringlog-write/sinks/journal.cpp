// SPDX-License-Identifier: Apache-2.0
//
// What the writer's thread tells the sinks'.
#include "tools/ringlog-write/sinks/journal.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ringcast::ringlog {

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
    kept_ = state.end.length;
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
    kept_ = std::min(kept_, length);
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
  }
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
