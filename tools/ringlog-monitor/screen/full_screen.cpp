// SPDX-License-Identifier: Apache-2.0
//
// Keys, then figures, then paint.
#include "tools/ringlog-monitor/screen/full_screen.hpp"

#include <utility>

#include "tools/ringlog-monitor/quantities.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t message_columns = 300;

}  // namespace

FullScreen::FullScreen(std::unique_ptr<Terminal> terminal, const std::string& name)
    : terminal_(std::move(terminal)), view_(name) {}

Result<std::unique_ptr<FullScreen>> FullScreen::open(const std::string& name) {
  auto terminal = Terminal::open();
  if (!terminal) return terminal.error();
  return std::unique_ptr<FullScreen>(new FullScreen(std::move(terminal).value(), name));
}

bool FullScreen::step(const ContentSource& source, bool is_time) {
  const auto presses = terminal_->keys();
  for (const auto& press : presses) {
    if (!view_.press(press)) return false;
  }
  const auto message = stderr_.last();
  if (message) view_.tell(shown(*message, message_columns));
  const auto size = terminal_->size();
  const bool is_same_size = size.rows == painted_.rows && size.columns == painted_.columns;
  if (presses.empty() && !message && !is_time && is_same_size) return true;
  view_.refresh(source);
  terminal_->paint(view_.draw(size));
  painted_ = size;
  return true;
}

}  // namespace ringcast::monitor
