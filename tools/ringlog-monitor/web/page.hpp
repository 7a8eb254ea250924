// SPDX-License-Identifier: Apache-2.0
//
// Page: the one page, whole: markup, style, script and the plotting library in one answer. Its
// Content-Security-Policy names their hashes, so that nothing else on it can ever run.
#pragma once

#include <string>

namespace ringcast::monitor {

struct Page {
  std::string html;
  std::string security_policy;
};

Page make_page();

}  // namespace ringcast::monitor
