// SPDX-License-Identifier: Apache-2.0
//
// JSON lines: one object per line, with the names that nginx (escape=json), Apache recipes,
// Caddy and Traefik use, also inside an object called request. Names that are not known are
// read over. Not thread-safe: strings of the last line are kept inside.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/formats/field.hpp"

namespace ringcast::monitor {

class JsonFormat {
 public:
  /// True when the line is an object that has a status, a request or a page. `request` is to be
  /// empty before, is undefined after a failure and valid until the next call.
  bool match(std::string_view line, Request& request);

  /// One value per field, since a Request holds views; the last of a name counts.
  static constexpr std::size_t fields = static_cast<std::size_t>(Field::server) + 1;

 private:
  std::array<std::string, fields> texts_;
};

}  // namespace ringcast::monitor
