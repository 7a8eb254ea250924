// SPDX-License-Identifier: Apache-2.0
//
// Log formats as web servers' configurations have them, made into Patterns. Directives and
// variables that say nothing to the monitor are read over; unknown ones too, since both servers
// go on adding some.
#pragma once

#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/formats/pattern.hpp"

namespace ringcast::monitor {

/// The string of an Apache LogFormat, without the quotes around it: %h %l %u %t \"%r\" %>s %b.
/// Errors: invalid_argument.
Result<Pattern> parse_apache_format(std::string_view text);

/// The string of an nginx log_format: $remote_addr - $remote_user [$time_local] "$request".
/// Errors: invalid_argument.
Result<Pattern> parse_nginx_format(std::string_view text);

}  // namespace ringcast::monitor
