// SPDX-License-Identifier: Apache-2.0
//
// Picture: what the full screen would show, as lines of plain text, for a file or a terminal that
// keeps them.
#pragma once

#include <string>

#include "tools/ringlog-monitor/screen/content.hpp"
#include "tools/ringlog-monitor/screen/frame.hpp"

namespace ringcast::monitor {

/// Appends one tab, without the keys and what is empty at its end; the chosen tab stands in
/// brackets. `name` says what is watched and is safe for a terminal. No line is longer than
/// `size` has columns, and there are no more than it has rows.
void append_picture(
    std::string& out,
    Tab tab,
    const std::string& name,
    const ContentSource& source,
    ScreenSize size = {24, 140});

}  // namespace ringcast::monitor
