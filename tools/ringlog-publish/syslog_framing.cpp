// SPDX-License-Identifier: Apache-2.0
//
// Counted and line-wise frames.
#include "tools/ringlog-publish/syslog_framing.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::ringlog {

namespace {

// A count of ten digits is no message of ours.
constexpr std::size_t digits_max = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void SyslogFraming::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::between:
        bytes = begin_frame(bytes);
        break;
      case State::count:
        bytes = take_count(bytes);
        break;
      case State::counted:
        bytes = take_counted(bytes, sink);
        break;
      case State::line:
        bytes = take_line(bytes, sink);
        break;
    }
  }
}

std::string_view SyslogFraming::begin_frame(std::string_view bytes) {
  // Behind a counted message, by senders that add one.
  if (bytes.front() == '\n') return bytes.substr(1);
  is_valid_ = true;
  state_ = is_digit(bytes.front()) && bytes.front() != '0' ? State::count : State::line;
  return bytes;
}

std::string_view SyslogFraming::take_count(std::string_view bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    if (is_digit(c) && kept_.size() < digits_max) {
      kept_ += c;
      bytes.remove_prefix(1);
      continue;
    }
    if (c == ' ') {
      left_ = std::stoull(kept_);
      kept_.clear();
      bytes.remove_prefix(1);
      state_ = State::counted;
    } else {
      is_valid_ = false;
      state_ = State::line;
    }
    break;
  }
  return bytes;
}

std::string_view SyslogFraming::take_counted(std::string_view bytes, const Sink& sink) {
  const auto part =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
  left_ -= part.size();
  if (left_ == 0) {
    finish(part, sink);
  } else {
    keep(part);
  }
  return bytes.substr(part.size());
}

std::string_view SyslogFraming::take_line(std::string_view bytes, const Sink& sink) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    keep(bytes);
    return {};
  }
  finish(bytes.substr(0, end), sink);
  return bytes.substr(end + 1);
}

void SyslogFraming::keep(std::string_view part) {
  if (dropped_ == 0 && kept_.size() + part.size() <= bytes_max_) {
    kept_ += part;
    return;
  }
  dropped_ += kept_.size() + part.size();
  kept_.clear();
}

void SyslogFraming::finish(std::string_view last, const Sink& sink) {
  state_ = State::between;
  const auto bytes = dropped_ + kept_.size() + last.size();
  if (bytes > bytes_max_) {
    sink(SyslogFrame{{}, bytes, true, is_valid_});
  } else if (kept_.empty()) {
    sink(SyslogFrame{last, bytes, false, is_valid_});
  } else {
    kept_ += last;
    sink(SyslogFrame{kept_, bytes, false, is_valid_});
  }
  kept_.clear();
  dropped_ = 0;
}

std::uint64_t SyslogFraming::end(const Sink& sink) {
  if (state_ != State::line || dropped_ + kept_.size() == 0) return abandon();
  finish({}, sink);
  return 0;
}

std::uint64_t SyslogFraming::abandon() {
  state_ = State::between;
  const auto unfinished = dropped_ + kept_.size();
  kept_.clear();
  dropped_ = 0;
  return unfinished;
}

}  // namespace ringcast::ringlog
