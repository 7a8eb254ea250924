// SPDX-License-Identifier: Apache-2.0
//
// Frame: a full screen as text and styles, made by the View and painted by the Screen; and the
// keys that go the other way. Neither knows a terminal library.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ringcast::monitor {

enum class Style { plain, good, warning, alarm, title, tab, chosen_tab, header, status };

struct Span {
  std::string text;
  Style style{Style::plain};
};

/// One line; shorter than the screen or cut to it.
using FrameLine = std::vector<Span>;
using Frame = std::vector<FrameLine>;

struct ScreenSize {
  std::size_t rows{24};
  std::size_t columns{80};
};

enum class Key {
  character,
  left,
  right,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  backspace,
};

struct KeyPress {
  Key key{Key::character};
  std::string text;  ///< of a character, in UTF-8
};

}  // namespace ringcast::monitor
