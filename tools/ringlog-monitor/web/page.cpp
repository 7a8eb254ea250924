// SPDX-License-Identifier: Apache-2.0
//
// The parts are in the program: cmake/embed.cmake makes them from page/ and uplot/.
#include "tools/ringlog-monitor/web/page.hpp"

#include <array>
#include <openssl/sha.h>
#include <string_view>

#include "tools/common/base64.hpp"
#include "tools/ringlog-monitor/web/page_parts.hpp"

namespace ringcast::monitor {

namespace {

void replace(std::string& text, std::string_view mark, std::string_view by) {
  text.replace(text.find(mark), mark.size(), by);
}

// As a policy names what it allows.
std::string source_of(std::string_view text) {
  std::array<std::byte, SHA256_DIGEST_LENGTH> digest{};
  (void)::SHA256(
      reinterpret_cast<const unsigned char*>(text.data()),
      text.size(),
      reinterpret_cast<unsigned char*>(digest.data()));
  return "'sha256-" + tools::base64(digest) + "'";
}

}  // namespace

Page make_page() {
  const std::string style = std::string(page_parts::uplot_css) + std::string(page_parts::page_css);
  const std::string library(page_parts::uplot_js);
  const std::string script(page_parts::page_js);
  Page page{std::string(page_parts::page_html), {}};
  replace(page.html, "@STYLE@", style);
  replace(page.html, "@LIBRARY@", library);
  replace(page.html, "@SCRIPT@", script);
  page.security_policy =
      "default-src 'none'; script-src " + source_of(library) + " " + source_of(script) +
      "; style-src " + source_of(style) +
      "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'";
  return page;
}

}  // namespace ringcast::monitor
