// SPDX-License-Identifier: Apache-2.0
//
// A View that nobody steers, and its frame without styles.
#include "tools/ringlog-monitor/screen/picture.hpp"

#include <vector>

#include "tools/ringlog-monitor/screen/view.hpp"

namespace ringcast::monitor {

namespace {

std::string text_of(const FrameLine& line) {
  std::string text;
  for (const auto& span : line) {
    const bool is_chosen = span.style == Style::chosen_tab && span.text.size() > 1;
    text += is_chosen ? "[" + span.text.substr(1, span.text.size() - 2) + "]" : span.text;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

void append_picture(
    std::string& out,
    Tab tab,
    const std::string& name,
    const ContentSource& source,
    ScreenSize size) {
  View view(name);
  (void)view.press({Key::character, std::to_string(static_cast<int>(tab) + 1)});
  view.refresh(source);
  auto frame = view.draw(size);
  frame.pop_back();  // what keys there are
  std::vector<std::string> lines;
  for (const auto& line : frame) {
    lines.push_back(text_of(line));
  }
  while (!lines.empty() && lines.back().empty()) {
    lines.pop_back();
  }
  for (const auto& line : lines) {
    out += line + "\n";
  }
}

}  // namespace ringcast::monitor
