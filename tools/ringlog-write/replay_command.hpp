// SPDX-License-Identifier: Apache-2.0
//
// `ringlog-write replay --group GROUP`: lines of old, for one who comes late.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

namespace ringcast::ringlog {

/// `argv[0]` is "replay". Returns the program's exit code: 0 done, 1 failed, 2 wrong usage, 3 no
/// daemon, 4 no writer answers.
int replay_command(int argc, char** argv);

/// "2026-01-02T03:04:05Z" or "@SECONDS since 1970", as milliseconds. Errors: invalid_argument.
Result<std::int64_t> parse_time(std::string_view text);
/// "CONFIGURATION/SEQ/INDEX". Errors: invalid_argument.
Result<Position> parse_position(std::string_view text);

}  // namespace ringcast::ringlog
