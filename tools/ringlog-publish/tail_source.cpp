// SPDX-License-Identifier: Apache-2.0
//
// When to look at followed files, and how far to read ahead.
#include "tools/ringlog-publish/tail_source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t slice = std::size_t{1} << 20U;
constexpr std::size_t ahead_max = std::size_t{8} << 20U;
constexpr std::chrono::milliseconds look_interval{250};

}  // namespace

TailSource::TailSource(Options options, Descriptor lock, Intake& intake)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      intake_(intake),
      tails_(options_.tails) {}

Result<std::unique_ptr<TailSource>> TailSource::open(Options options, Intake& intake) {
  if (auto made = make_directories(options.state_directory); !made) return made.error();
  const auto base = options.state_directory + "/tail-" + options.group;
  const auto lock_path = base + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.is_open()) return system_error(lock_path, "cannot open", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Errc::invalid_argument,
        base +
            ".json: another ringlog-publish follows files of this group with this state; "
            "name another --state directory"};
  }
  options.tails.checkpoint = base + ".json";
  std::unique_ptr<TailSource> source(new TailSource(std::move(options), std::move(lock), intake));
  const auto today = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (auto started = source->tails_.start(std::chrono::steady_clock::now(), today); !started) {
    return started.error();
  }
  return source;
}

std::optional<Source::Instant> TailSource::wake_up(Instant now) const {
  return is_over_ ? std::nullopt : std::optional(std::max(next_look_, now));
}

void TailSource::read(Instant now) {
  const bool is_full = intake_.outbox().bytes() > ahead_max;
  const bool goes_on = waits_ && !is_full;
  if (is_over_ || (now < next_look_ && !goes_on)) return;
  waits_ = is_full;
  const auto sink = [this, now](OutgoingRecord record) {
    lines_ += record.lines;
    intake_.accept(std::move(record), now);
  };
  // However full: a file that is rotated away unseen could never be read.
  const auto got = tails_.poll(is_full ? 0 : slice, now, sink);
  if (got > 0) return;
  next_look_ = now + look_interval;
  if (is_full) return;
  if (options_.once && tails_.is_held_up()) {
    fatal_ = Error{
        Errc::io,
        "how far files are read cannot be saved in " + options_.state_directory +
            "; new files are not read without that"};
  } else if (options_.once || is_stopping_) {
    is_over_ = true;
    if (options_.once) tails_.finish(sink);
  }
}

void TailSource::stop(Instant now) {
  is_stopping_ = true;
  next_look_ = now;
}

bool TailSource::leave(Instant /*now*/) {
  tails_.leave();
  const auto saved = tails_.save();
  if (!saved) notes_.push_back(saved.error().message);
  return saved.ok();
}

SourceCounters TailSource::counters() const { return SourceCounters{lines_, 0, tails_.too_long()}; }

bool TailSource::is_incomplete() const {
  return tails_.has_lost() || (options_.once && tails_.has_trouble());
}

std::vector<std::string> TailSource::notes() {
  auto notes = tails_.notes();
  for (auto& note : notes_) {
    notes.push_back(std::move(note));
  }
  notes_.clear();
  return notes;
}

}  // namespace ringcast::ringlog
