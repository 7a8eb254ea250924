// SPDX-License-Identifier: Apache-2.0
//
// The files of the page, byte for byte. Made at build time by cmake/embed.cmake.
#pragma once

#include <string_view>

namespace ringcast::monitor::page_parts {

extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view uplot_css;
extern const std::string_view uplot_js;

}  // namespace ringcast::monitor::page_parts
