// SPDX-License-Identifier: Apache-2.0
//
// View: what the user looks at: which tab and table, how it is sorted, filtered and scrolled,
// whether it stands still. Keys come in, a Frame goes out; no terminal, no clock.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-monitor/screen/content.hpp"
#include "tools/ringlog-monitor/screen/frame.hpp"

namespace ringcast::monitor {

class View {
 public:
  /// `name` says what is watched.
  explicit View(std::string name);

  /// False when the user wants to quit.
  bool press(const KeyPress& press);
  /// Looks at the figures, unless it was told to stand still.
  void refresh(const ContentSource& source);
  /// A sentence for the last line, until a key is pressed.
  void tell(std::string message) { message_ = std::move(message); }
  [[nodiscard]] Frame draw(ScreenSize size);

  [[nodiscard]] Tab tab() const { return tab_; }

 private:
  static constexpr std::size_t tabs = tab_names.size();

  struct TabState {
    std::size_t table{0};
    std::optional<std::size_t> sort;  // a column; else the order of the content
    bool is_reversed{false};
    std::size_t scroll{0};
    std::vector<Content> contents;  // by table
  };

  TabState& state() { return states_.at(static_cast<std::size_t>(tab_)); }
  void choose_tab(std::size_t tab);
  void press_character(const std::string& text);
  void edit_filter(const KeyPress& press);
  void choose_next_column();
  void scroll_by(std::ptrdiff_t rows);

  [[nodiscard]] std::vector<const Row*> chosen_rows(const Content& content);
  [[nodiscard]] bool fits_filter(const Row& row) const;
  [[nodiscard]] FrameLine title_line() const;
  [[nodiscard]] FrameLine tabs_line() const;
  [[nodiscard]] FrameLine status_line() const;
  FrameLine header_line(const Content& content);

  std::string name_;
  std::string time_;
  Tab tab_{Tab::metrics};
  std::array<TabState, tabs> states_;
  std::string filter_;
  std::string filter_before_;  // while it is edited
  bool is_editing_{false};
  bool is_paused_{false};
  bool is_frozen_{false};  // all contents are those of the moment of the pause
  bool shows_help_{false};
  std::string message_;
  std::size_t page_rows_{1};  // of the table, as last drawn
};

}  // namespace ringcast::monitor
