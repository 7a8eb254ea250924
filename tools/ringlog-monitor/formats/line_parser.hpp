// SPDX-License-Identifier: Apache-2.0
//
// LineParser: log lines to Requests, by one or several formats. A line is tried by the format
// that fitted last, then by the others in order; so lines of many servers may be mixed. Keeps
// no line. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/formats/json_format.hpp"
#include "tools/ringlog-monitor/formats/pattern.hpp"

namespace ringcast::monitor {

class LineParser {
 public:
  /// Formats as the user names them: common, combined, vhost-combined, haproxy, json; apache:STRING
  /// or nginx:STRING; or a STRING alone, which is nginx's if it holds a variable, else Apache's.
  /// None at all: combined, common, haproxy and json. Errors: invalid_argument.
  static Result<LineParser> make(const std::vector<std::string>& formats);

  /// Nothing when no format fits. Valid until the next call, and as long as the line.
  std::optional<Request> parse(std::string_view line);

 private:
  struct Haproxy {};
  using Format = std::variant<Pattern, Haproxy, JsonFormat>;

  static Result<Format> make_format(const std::string& text);
  static bool match(Format& format, std::string_view line, Request& request);

  std::vector<Format> formats_;
  std::size_t last_{0};  // the one that fitted last
};

}  // namespace ringcast::monitor
