// SPDX-License-Identifier: Apache-2.0
//
// The oldest line makes room, and its memory is used again.
#include "tools/ringlog-monitor/recent_lines.hpp"

#include <utility>

namespace ringcast::monitor {

void RecentLines::add(std::string_view text, std::string_view server, Instant at) {
  if (lines_max_ == 0) return;
  RecentLine line;
  if (lines_.size() >= lines_max_) line = take_oldest();
  line.seq = ++last_seq_;
  line.at = at;
  line.server = server;
  line.text = text.substr(0, line_bytes_max);
  line.is_cut = text.size() > line_bytes_max;
  bytes_ += line.server.size() + line.text.size();
  lines_.push_back(std::move(line));
  while (bytes_ > bytes_max) {
    (void)take_oldest();
  }
}

RecentLine RecentLines::take_oldest() {
  auto line = std::move(lines_.front());
  lines_.pop_front();
  bytes_ -= line.server.size() + line.text.size();
  return line;
}

}  // namespace ringcast::monitor
