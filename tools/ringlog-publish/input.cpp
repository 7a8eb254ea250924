// SPDX-License-Identifier: Apache-2.0
//
// Lines from stdin.
#include "tools/ringlog-publish/input.hpp"

namespace ringcast::ringlog {

Input::Input(const Options& options, const Producer& producer, Filter& filter, Intake& intake)
    : splitter_(options.line_bytes_max), entry_(options, producer, filter, intake) {}

void Input::feed(std::string_view bytes, Instant now) {
  splitter_.feed(bytes, [&](const SplitLine& line) { on_line(line, now); });
}

void Input::take_note(const DropNote& note, Instant now) {
  entry_.take_dropped(Dropped{note.lines, note.bytes}, now);
}

void Input::end(Instant now) {
  splitter_.end([&](const SplitLine& line) { on_line(line, now); });
  entry_.end(now);
}

std::uint64_t Input::abandon(Instant now) {
  const auto unfinished = splitter_.unfinished();
  splitter_.clear();
  entry_.end(now);
  return unfinished;
}

void Input::on_line(const SplitLine& line, Instant now) {
  if (line.too_long) {
    entry_.take_too_long(line.bytes, now);
  } else {
    entry_.take(line.text, now);
  }
}

}  // namespace ringcast::ringlog
