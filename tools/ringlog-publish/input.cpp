// SPDX-License-Identifier: Apache-2.0
//
// Lines from stdin into the intake.
#include "tools/ringlog-publish/input.hpp"

#include <utility>

namespace ringcast::ringlog {

Input::Input(Options options, Producer producer, Intake& intake)
    : options_(options),
      intake_(intake),
      splitter_(options.line_bytes_max),
      batch_(std::move(producer), 1) {}

bool Input::wants_data(Instant now) {
  if (intake_.has_room(options_.line_bytes_max, batch_.bytes(), now)) {
    full_since_.reset();
    return true;
  }
  if (options_.can_wait) return false;
  if (!full_since_) full_since_ = now;
  return now - *full_since_ >= options_.max_block;
}

std::optional<Input::Instant> Input::wake_up(Instant now) const {
  if (!full_since_) return std::nullopt;
  const auto end = *full_since_ + options_.max_block;
  // From then on it reads and drops whatever comes, and there is nothing to wake up for.
  return end > now ? std::optional(end) : std::nullopt;
}

void Input::feed(std::string_view bytes, Instant now) {
  splitter_.feed(bytes, [&](const SplitLine& line) { on_line(line, now); });
}

void Input::end(Instant now) {
  splitter_.end([&](const SplitLine& line) { on_line(line, now); });
  flush(now);
  send_note(now);
}

std::uint64_t Input::abandon(Instant now) {
  const auto unfinished = splitter_.unfinished();
  splitter_.clear();
  flush(now);
  send_note(now);
  return unfinished;
}

void Input::flush(Instant now) {
  if (const auto record = batch_.take()) intake_.accept(*record, Origin{input_source, 0}, now);
}

void Input::on_line(const SplitLine& line, Instant now) {
  if (line.too_long) {
    ++too_long_;
    notes_.push_back(
        "a line of " + std::to_string(line.bytes) + " bytes is longer than --max-line " +
        std::to_string(options_.line_bytes_max) + " and was not sent; its length is on record");
    flush(now);
    send_note(now);
    intake_.accept(batch_.note(TooLong{line.bytes}), Origin{input_source, 0}, now);
    return;
  }
  // A file that can wait was asked for only while there was room for it.
  if (!options_.can_wait && !intake_.has_room(line.text.size(), batch_.bytes(), now)) {
    if (dropped_.lines == 0) notes_.push_back("memory and spool are full: dropping lines");
    ++dropped_.lines;
    ++dropped_total_;
    dropped_.bytes += line.bytes;
    return;
  }
  send_note(now);
  if (batch_.bytes() + line.text.size() + line_overhead_bytes > options_.batch_bytes) flush(now);
  batch_.add(line.text);
  ++accepted_;
}

void Input::send_note(Instant now) {
  if (dropped_.lines == 0) return;
  flush(now);
  notes_.push_back(
      "dropped " + std::to_string(dropped_.lines) + " lines (" + std::to_string(dropped_.bytes) +
      " bytes)");
  intake_.accept(batch_.note(std::exchange(dropped_, Dropped{})), Origin{input_source, 0}, now);
}

std::vector<std::string> Input::notes() { return std::exchange(notes_, {}); }

}  // namespace ringcast::ringlog
