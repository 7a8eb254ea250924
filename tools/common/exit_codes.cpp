// SPDX-License-Identifier: Apache-2.0
//
// Errors as exit codes and as one line on stderr.
#include "tools/common/exit_codes.hpp"

#include <cstdio>
#include <string>

namespace ringcast::tools {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument:
      return ExitCode::usage;
    case Errc::unreachable:
      return ExitCode::unreachable;
    case Errc::timed_out:
      return ExitCode::timed_out;
    case Errc::malformed:
    case Errc::unsupported_version:
    case Errc::name_in_use:
    case Errc::too_large:
    case Errc::would_block:
    case Errc::closed:
    case Errc::inbox_full:
    case Errc::not_member:
    case Errc::already_member:
    case Errc::limit_exceeded:
    case Errc::io:
    case Errc::corrupt:
      return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode exit_code_of_connect(const Error& error) {
  return error.code == Errc::timed_out ? ExitCode::unreachable : exit_code_of(error);
}

void report(std::string_view program, std::string_view message) {
  std::string line(program);
  line.append(": ").append(message);
  if (line.back() != '\n') line += '\n';
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace ringcast::tools
