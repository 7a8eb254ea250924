// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows ncurses.
#include "tools/ringlog-monitor/screen/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>
#define NCURSES_NOMACROS  // clear, move and timeout are names of ours
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <utf8.h>

namespace ringcast::monitor {

namespace {

constexpr int escape_delay_ms = 25;
constexpr short pair_good = 1;
constexpr short pair_warning = 2;
constexpr short pair_alarm = 3;
constexpr short default_color = -1;
constexpr wint_t surrogates_begin = 0xD800;
constexpr wint_t surrogates_end = 0xE000;
constexpr wint_t code_end = 0x110000;
constexpr wint_t escape_code = 27;
constexpr wint_t delete_code = 127;
constexpr wint_t backspace_code = 8;

attr_t attributes_of(Style style) {
  switch (style) {
    case Style::plain:
    case Style::tab:
      return A_NORMAL;
    case Style::good:
      return static_cast<attr_t>(COLOR_PAIR(pair_good));
    case Style::warning:
      return static_cast<attr_t>(COLOR_PAIR(pair_warning));
    case Style::alarm:
      return static_cast<attr_t>(COLOR_PAIR(pair_alarm)) | A_BOLD;
    case Style::title:
      return A_BOLD;
    case Style::chosen_tab:
    case Style::header:
      return A_REVERSE;
    case Style::status:
      return A_DIM;
  }
  return A_NORMAL;
}

std::vector<KeyPress> function_key(wint_t code) {
  switch (code) {
    case KEY_LEFT:
      return {{Key::left, {}}};
    case KEY_RIGHT:
      return {{Key::right, {}}};
    case KEY_UP:
      return {{Key::up, {}}};
    case KEY_DOWN:
      return {{Key::down, {}}};
    case KEY_PPAGE:
      return {{Key::page_up, {}}};
    case KEY_NPAGE:
      return {{Key::page_down, {}}};
    case KEY_HOME:
      return {{Key::home, {}}};
    case KEY_END:
      return {{Key::end, {}}};
    case KEY_ENTER:
      return {{Key::enter, {}}};
    case KEY_BACKSPACE:
      return {{Key::backspace, {}}};
    case KEY_BTAB:
      return {{Key::left, {}}};
    default:
      return {};
  }
}

std::vector<KeyPress> character_key(wint_t code) {
  if (code == escape_code) return {{Key::escape, {}}};
  if (code == L'\n' || code == L'\r') return {{Key::enter, {}}};
  if (code == delete_code || code == backspace_code) return {{Key::backspace, {}}};
  const bool is_control = code < L' ' && code != L'\t';
  const bool is_surrogate = code >= surrogates_begin && code < surrogates_end;
  if (is_control || is_surrogate || code >= code_end) return {};
  KeyPress press;
  utf8::unchecked::append(code, std::back_inserter(press.text));
  return {press};
}

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::open() {
  (void)std::setlocale(LC_CTYPE, "");
  std::FILE* const input = std::fopen("/dev/tty", "r+e");
  if (input == nullptr) {
    return Error{Errc::io, std::string("/dev/tty: cannot open: ") + std::strerror(errno)};
  }
  std::unique_ptr<Terminal> terminal(new Terminal(input));
  auto* const screen = ::newterm(nullptr, stdout, input);
  if (screen == nullptr) {
    const char* const name = std::getenv("TERM");
    return Error{
        Errc::io,
        std::string("ncurses does not know the terminal \"") + (name == nullptr ? "" : name) +
            "\"; set TERM"};
  }
  terminal->screen_ = screen;
  terminal->set_up();
  return terminal;
}

void Terminal::set_up() {
  (void)::set_escdelay(escape_delay_ms);
  (void)::cbreak();
  (void)::noecho();
  (void)::nonl();
  (void)::keypad(stdscr, true);
  (void)::nodelay(stdscr, true);
  (void)::curs_set(0);
  if (!::has_colors()) return;
  (void)::start_color();
  (void)::use_default_colors();
  (void)::init_pair(pair_good, COLOR_GREEN, default_color);
  (void)::init_pair(pair_warning, COLOR_YELLOW, default_color);
  (void)::init_pair(pair_alarm, COLOR_RED, default_color);
}

Terminal::~Terminal() {
  if (screen_ != nullptr) {
    (void)::endwin();
    ::delscreen(static_cast<SCREEN*>(screen_));
  }
  (void)std::fclose(input_);
}

int Terminal::fd() const { return ::fileno(input_); }

std::vector<KeyPress> Terminal::keys() {
  std::vector<KeyPress> presses;
  for (;;) {
    wint_t code = 0;
    const int kind = ::wget_wch(stdscr, &code);
    if (kind == ERR) return presses;
    for (auto& press : kind == KEY_CODE_YES ? function_key(code) : character_key(code)) {
      presses.push_back(std::move(press));
    }
  }
}

ScreenSize Terminal::size() const {
  const int rows = ::getmaxy(stdscr);
  const int columns = ::getmaxx(stdscr);
  return {
      static_cast<std::size_t>(std::max(rows, 1)), static_cast<std::size_t>(std::max(columns, 1))};
}

void Terminal::paint(const Frame& frame) {
  (void)::werase(stdscr);
  for (std::size_t row = 0; row < frame.size(); ++row) {
    (void)::wmove(stdscr, static_cast<int>(row), 0);
    for (const auto& span : frame[row]) {
      (void)::wattrset(stdscr, static_cast<int>(attributes_of(span.style)));
      (void)::waddnstr(stdscr, span.text.data(), static_cast<int>(span.text.size()));
    }
  }
  (void)::wattrset(stdscr, A_NORMAL);
  (void)::wrefresh(stdscr);
}

}  // namespace ringcast::monitor
