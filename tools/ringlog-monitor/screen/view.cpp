// SPDX-License-Identifier: Apache-2.0
//
// Layout: title, tabs, head, header, rows and foot (these two scroll), status.
#include "tools/ringlog-monitor/screen/view.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "tools/ringlog-monitor/quantities.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t filter_bytes_max = 200;

constexpr std::array help = {
    "1 to 7, Tab, left, right   choose a tab",
    "up, down, PgUp, PgDn, Home, End   scroll",
    "v   the next table of Clients (clients, referrers, user agents) and Online (visitors, pages)",
    "s   sort by the next column; behind the last one: in the order of the table",
    "r   the other way round",
    "/   show only rows that contain a text; Enter keeps it, Esc shows all again",
    "p, blank   stand still, and go on",
    "h, ?   this page",
    "q   quit",
    "",
    "What the figures mean and how exact they are: docs/logging.md."};

Style style_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return Style::plain;
    case Tone::good:
      return Style::good;
    case Tone::warning:
      return Style::warning;
    case Tone::alarm:
      return Style::alarm;
  }
  return Style::plain;
}

bool equals_in_lower_case(char one, char other) {
  return std::tolower(static_cast<unsigned char>(one)) ==
         std::tolower(static_cast<unsigned char>(other));
}

bool contains(const std::string& text, const std::string& part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), equals_in_lower_case) !=
         text.end();
}

std::string cell_text(const Column& column, std::string_view text, bool is_last) {
  if (!column.is_text) return right(text, column.width);
  if (is_last) return std::string(text);
  return left(fitted(text, column.width), column.width);
}

std::string row_text(const Content& content, const Row& row) {
  std::string text;
  for (std::size_t i = 0; i < content.columns.size(); ++i) {
    const auto cell = i < row.cells.size() ? std::string_view(row.cells[i].text) : "";
    text += cell_text(content.columns[i], cell, i + 1 == content.columns.size()) + " ";
  }
  return text;
}

void cut(FrameLine& line, std::size_t columns) {
  for (auto& span : line) {
    span.text = fitted(span.text, columns);
    columns -= std::min(columns, columns_of(span.text));
  }
}

}  // namespace

View::View(std::string name) : name_(std::move(name)) {}

bool View::press(const KeyPress& press) {
  message_.clear();
  if (is_editing_) {
    edit_filter(press);
    return true;
  }
  if (press.key == Key::character && press.text == "q") return false;
  const bool closes_help = shows_help_ && press.key != Key::character;
  shows_help_ = shows_help_ && !closes_help;
  const auto page = static_cast<std::ptrdiff_t>(page_rows_);
  switch (press.key) {
    case Key::character:
      press_character(press.text);
      break;
    case Key::left:
      choose_tab((static_cast<std::size_t>(tab_) + tabs - 1) % tabs);
      break;
    case Key::right:
      choose_tab((static_cast<std::size_t>(tab_) + 1) % tabs);
      break;
    case Key::up:
      scroll_by(-1);
      break;
    case Key::down:
      scroll_by(1);
      break;
    case Key::page_up:
      scroll_by(-page);
      break;
    case Key::page_down:
      scroll_by(page);
      break;
    case Key::home:
      state().scroll = 0;
      break;
    case Key::end:
      state().scroll = std::string::npos;  // draw() knows where that is
      break;
    case Key::escape:
      filter_.clear();
      break;
    case Key::enter:
    case Key::backspace:
      break;
  }
  return true;
}

void View::choose_tab(std::size_t tab) {
  tab_ = static_cast<Tab>(tab);
  shows_help_ = false;
}

void View::press_character(const std::string& text) {
  const char letter = text.size() == 1 ? text.front() : '\0';
  const bool opens_help = !shows_help_ && (letter == 'h' || letter == '?');
  shows_help_ = opens_help;
  if (letter >= '1' && letter < static_cast<char>('1' + tabs)) {
    choose_tab(static_cast<std::size_t>(letter - '1'));
  } else if (letter == '\t') {
    choose_tab((static_cast<std::size_t>(tab_) + 1) % tabs);
  } else if (letter == 'v') {
    state().table = (state().table + 1) % table_count(tab_);
    state().sort.reset();
    state().scroll = 0;
  } else if (letter == 's') {
    choose_next_column();
  } else if (letter == 'r') {
    state().is_reversed = !state().is_reversed;
  } else if (letter == 'p' || letter == ' ') {
    is_paused_ = !is_paused_;
    is_frozen_ = false;
  } else if (letter == '/') {
    is_editing_ = true;
    filter_before_ = filter_;
  }
}

void View::edit_filter(const KeyPress& press) {
  if (press.key == Key::enter) {
    is_editing_ = false;
  } else if (press.key == Key::escape) {
    is_editing_ = false;
    filter_ = filter_before_;
  } else if (press.key == Key::backspace) {
    // Not half a character: bytes that go on begin with the bits 10.
    while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xC0U) == 0x80U) {
      filter_.pop_back();
    }
    if (!filter_.empty()) filter_.pop_back();
  } else if (press.key == Key::character && filter_.size() < filter_bytes_max) {
    filter_ += press.text;
  }
  state().scroll = 0;
}

void View::choose_next_column() {
  auto& chosen = state();
  if (chosen.table >= chosen.contents.size()) return;
  const auto columns = chosen.contents[chosen.table].columns.size();
  const std::size_t next = chosen.sort ? *chosen.sort + 1 : 0;
  chosen.sort = next < columns ? std::optional(next) : std::nullopt;
  chosen.is_reversed = false;
  chosen.scroll = 0;
}

void View::scroll_by(std::ptrdiff_t rows) {
  auto& scroll = state().scroll;
  if (rows < 0) {
    scroll -= std::min(scroll, static_cast<std::size_t>(-rows));
  } else {
    scroll += static_cast<std::size_t>(rows);
  }
}

void View::refresh(const ContentSource& source) {
  if (is_frozen_) return;
  for (std::size_t tab = 0; tab < tabs; ++tab) {
    const bool is_wanted = is_paused_ || tab == static_cast<std::size_t>(tab_);
    auto& contents = states_.at(tab).contents;
    contents.resize(table_count(static_cast<Tab>(tab)));
    for (std::size_t table = 0; table < contents.size(); ++table) {
      if (!is_wanted || (!is_paused_ && table != states_.at(tab).table)) continue;
      contents[table] = make_content(static_cast<Tab>(tab), table, source);
    }
  }
  const auto& figures = source.analysis.figures();
  time_ = figures.since() ? utc(figures.now()) : "no line yet";
  is_frozen_ = is_paused_;
}

bool View::fits_filter(const Row& row) const {
  if (filter_.empty()) return true;
  return std::any_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
    return contains(cell.text, filter_);
  });
}

std::vector<const Row*> View::chosen_rows(const Content& content) {
  std::vector<const Row*> rows;
  for (const auto& row : content.rows) {
    if (tab_ == Tab::metrics || fits_filter(row)) rows.push_back(&row);
  }
  const auto sort = state().sort;
  if (sort && *sort < content.columns.size()) {
    const bool is_text = content.columns[*sort].is_text;
    std::stable_sort(rows.begin(), rows.end(), [&](const Row* one, const Row* other) {
      const auto& a = one->cells[*sort];
      const auto& b = other->cells[*sort];
      return is_text ? a.text < b.text : a.value > b.value;
    });
  }
  if (state().is_reversed) std::reverse(rows.begin(), rows.end());
  return rows;
}

FrameLine View::title_line() const {
  std::string text = "ringlog-monitor  " + name_ + "  " + time_;
  if (is_paused_) text += "  [stands still]";
  if (!filter_.empty()) text += "  [only: " + filter_ + "]";
  return {{text, Style::title}};
}

FrameLine View::tabs_line() const {
  FrameLine line;
  for (std::size_t tab = 0; tab < tabs; ++tab) {
    const bool is_chosen = tab == static_cast<std::size_t>(tab_);
    line.push_back(
        {" " + std::to_string(tab + 1) + " " + tab_names.at(tab) + " ",
         is_chosen ? Style::chosen_tab : Style::tab});
  }
  return line;
}

FrameLine View::status_line() const {
  if (is_editing_) return {{"only rows with: " + filter_ + "_", Style::status}};
  if (!message_.empty()) return {{message_, Style::warning}};
  const std::string tables = table_count(tab_) > 1 ? "  v table" : "";
  return {
      {"1-7 tab" + tables + "  / filter  s sort  r reverse  p pause  h help  q quit",
       Style::status}};
}

FrameLine View::header_line(const Content& content) {
  FrameLine line;
  for (std::size_t i = 0; i < content.columns.size(); ++i) {
    const auto& column = content.columns[i];
    const bool is_sorted = state().sort == i;
    const auto title = column.title + (is_sorted ? "*" : "");
    line.push_back(
        {cell_text(column, title, i + 1 == content.columns.size()) + " ", Style::header});
  }
  return line;
}

Frame View::draw(ScreenSize size) {
  Frame frame = {title_line(), tabs_line(), {}};
  std::vector<FrameLine> scrolling;
  auto& chosen = state();
  if (shows_help_) {
    for (const auto* const line : help) {
      scrolling.push_back({{line}});
    }
  } else if (chosen.table < chosen.contents.size()) {
    const auto& content = chosen.contents[chosen.table];
    for (const auto& line : content.head) {
      frame.push_back({{line.text, style_of(line.tone)}});
    }
    if (!content.columns.empty()) frame.push_back(header_line(content));
    for (const auto* const row : chosen_rows(content)) {
      scrolling.push_back({{row_text(content, *row), style_of(row->tone)}});
    }
    for (const auto& line : content.foot) {
      scrolling.push_back({{line.text, style_of(line.tone)}});
    }
  }
  const auto body_rows = size.rows - std::min(size.rows, frame.size() + 1);
  page_rows_ = std::max<std::size_t>(body_rows, 1);
  chosen.scroll = std::min(chosen.scroll, scrolling.size() - std::min(scrolling.size(), body_rows));
  for (std::size_t i = 0; i < body_rows; ++i) {
    const auto place = chosen.scroll + i;
    frame.push_back(place < scrolling.size() ? scrolling[place] : FrameLine{});
  }
  frame.resize(std::max<std::size_t>(size.rows, 1));
  frame.back() = status_line();
  for (auto& line : frame) {
    cut(line, size.columns);
  }
  return frame;
}

}  // namespace ringcast::monitor
