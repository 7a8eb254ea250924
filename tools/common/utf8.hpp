// SPDX-License-Identifier: Apache-2.0
//
// Payload bytes as text: whether they are UTF-8, and how they look on one line of a terminal.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ringcast::tools {

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);

/// Appends `bytes` so that they stay on one line and cannot drive a terminal: control
/// characters, backslash and bytes that are not UTF-8 become \n, \t, \\ or \xHH.
void append_one_line(std::string& out, std::string_view bytes);

/// The same bytes, seen as characters. Valid as long as `bytes` is.
std::string_view as_text(std::span<const std::byte> bytes);
/// The same characters, seen as bytes. Valid as long as `text` is.
std::span<const std::byte> as_bytes(std::string_view text);

}  // namespace ringcast::tools
