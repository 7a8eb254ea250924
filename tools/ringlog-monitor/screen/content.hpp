// SPDX-License-Identifier: Apache-2.0
//
// Content: what one tab shows, before it is sorted, filtered and cut to the terminal: lines of
// text above and below a table. Knows no terminal; all of its text is safe for one.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"

namespace ringcast::monitor {

enum class Tab { metrics, codes, servers, pages, clients, online, ring };
inline constexpr std::array tab_names = {
    "Metrics", "Codes", "Servers", "Pages", "Clients", "Online", "Ring"};

enum class Tone { plain, good, warning, alarm };

struct Cell {
  std::string text;
  double value{0};  ///< what a column of numbers is sorted by
};

struct Row {
  std::vector<Cell> cells;
  Tone tone{Tone::plain};
};

struct Column {
  std::string title;
  std::size_t width{0};
  bool is_text{false};  ///< to the left, sorted by its letters; the last column takes what is left
};

struct TextLine {
  std::string text;
  Tone tone{Tone::plain};
};

struct Content {
  std::vector<TextLine> head;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<TextLine> foot;
};

/// Tabs with several tables have so many; the others one.
std::size_t table_count(Tab tab);

struct ContentSource {
  const Analysis& analysis;
  const RingState* ring{nullptr};  ///< null when a file is read
};

/// REQUIRES: table < table_count(tab).
Content make_content(Tab tab, std::size_t table, const ContentSource& source);

}  // namespace ringcast::monitor
