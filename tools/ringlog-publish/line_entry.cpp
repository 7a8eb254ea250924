// SPDX-License-Identifier: Apache-2.0
//
// Lines into the intake.
#include "tools/ringlog-publish/line_entry.hpp"

#include <utility>

namespace ringcast::ringlog {

LineEntry::LineEntry(Options options, const Producer& producer, Filter& filter, Intake& intake)
    : options_(options), filter_(filter), intake_(intake), batch_(producer, 1, options.encoding) {}

bool LineEntry::wants_data(Instant now) {
  tell(tally_.take(now));
  if (intake_.has_room(options_.line_bytes_max, batch_.bytes(), now)) {
    full_since_.reset();
    return true;
  }
  if (options_.can_wait) return false;
  if (options_.when_full != WhenFull::block_then_drop_newest) return true;
  if (!full_since_) full_since_ = now;
  return has_blocked_long_enough(now);
}

bool LineEntry::has_blocked_long_enough(Instant now) const {
  return full_since_ && now - *full_since_ >= options_.max_block;
}

std::optional<LineEntry::Instant> LineEntry::wake_up(Instant now) const {
  if (!full_since_) return std::nullopt;
  const auto end = *full_since_ + options_.max_block;
  // From then on it reads and drops whatever comes, and there is nothing to wake up for.
  return end > now ? std::optional(end) : std::nullopt;
}

void LineEntry::flush(Instant now) {
  if (auto record = batch_.take()) intake_.accept(std::move(*record), now);
}

void LineEntry::end(Instant now) {
  flush(now);
  send_note(now);
  tell(tally_.take_rest());
}

void LineEntry::take_too_long(std::uint64_t bytes, Instant now) {
  ++too_long_;
  notes_.push_back(
      "a line of " + std::to_string(bytes) + " bytes is longer than --max-line " +
      std::to_string(options_.line_bytes_max) + " and was not sent; its length is on record");
  flush(now);
  send_note(now);
  intake_.accept(batch_.note(TooLong{bytes}), now);
}

void LineEntry::take_dropped(const Dropped& dropped, Instant now) {
  dropped_.lines += dropped.lines;
  dropped_.bytes += dropped.bytes;
  dropped_total_ += dropped.lines;
  send_note(now);  // told by who dropped them
}

void LineEntry::take(std::string_view line, Instant now) {
  const auto filtered = filter_.apply(line);
  if (!filtered) return;
  if (filtered->size() > options_.line_bytes_max) {
    take_too_long(filtered->size(), now);
    return;
  }
  if (!make_room(filtered->size(), now)) {
    ++dropped_.lines;
    ++dropped_total_;
    dropped_.bytes += filtered->size();
    tally_.add(1, filtered->size());
    tell(tally_.take(now));
    return;
  }
  send_note(now);
  if (batch_.bytes() + filtered->size() + line_overhead_bytes > options_.batch_bytes) flush(now);
  batch_.add(*filtered);
  ++accepted_;
}

// What was read while there was room is taken, though many short lines are more in memory than
// what was read: who is blocked loses nothing before its time.
bool LineEntry::make_room(std::size_t bytes, Instant now) {
  if (options_.can_wait || intake_.has_room(bytes, batch_.bytes(), now)) return true;
  if (options_.when_full == WhenFull::block_then_drop_newest) return !has_blocked_long_enough(now);
  return options_.when_full == WhenFull::drop_oldest &&
         intake_.make_room(bytes, batch_.bytes(), now);
}

void LineEntry::send_note(Instant now) {
  if (dropped_.lines == 0) return;
  flush(now);
  intake_.accept(batch_.note(std::exchange(dropped_, Dropped{})), now);
}

void LineEntry::tell(const std::optional<DropNote>& loss) {
  if (!loss) return;
  notes_.push_back(
      "memory and spool are full: dropping lines: " + std::to_string(loss->lines) + " (" +
      std::to_string(loss->bytes) + " bytes) so far or since this was said last");
}

std::vector<std::string> LineEntry::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
