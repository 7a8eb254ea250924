// SPDX-License-Identifier: Apache-2.0
//
// SealedLine: a line of text that tells whether it is whole: "CHECKSUM JSON", the checksum
// XXH3-64 of the JSON as 16 hex digits. Files of such lines are appended to; after a crash what
// stands before the first line that is not whole counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/common/json.hpp"

namespace ringcast::ringlog {

/// With its newline.
std::string sealed_line(const tools::Json& json);
/// The inverse, of a line without its newline; nothing when it is damaged.
std::optional<tools::Json> unsealed_line(std::string_view line);
/// The JSON as text, when it is whole.
std::optional<std::string_view> unsealed_text(std::string_view line);

}  // namespace ringcast::ringlog
