// SPDX-License-Identifier: Apache-2.0
//
// The figures as plain text: one line for every interval, and all of them at the end. The
// wording may change from version to version; scripts use --json.
#pragma once

#include <string>

#include "tools/ringlog-monitor/analysis.hpp"

namespace ringcast::monitor {

/// One line.
void append_brief(std::string& out, const Figures& figures);
/// Everything, with `top` rows of each table.
void append_report(std::string& out, const Analysis& analysis, std::size_t top);
/// One sentence, without a newline.
std::string alert_text(const Alert& alert);

}  // namespace ringcast::monitor
