// SPDX-License-Identifier: Apache-2.0
//
// SyslogMessage: which part of a syslog message is its text. RFC 5424 says so; of the older
// format (RFC 3164) there are as many as programs, and its rule here is: after <PRI> a time
// stamp (as in RFC 3164 or RFC 3339), at most one host name, a tag that ends in ':', one space,
// the text. What is missing may be missing, what is no syslog at all is text from its beginning.
#pragma once

#include <string_view>

namespace ringcast::ringlog {

struct SyslogMessage {
  std::string_view text;
  bool is_valid{true};  ///< false: no <PRI>, or RFC 5424 and not as it says
};

/// One message without its framing; a newline or a zero byte at its end is none of it.
SyslogMessage parse_syslog(std::string_view frame);

}  // namespace ringcast::ringlog
