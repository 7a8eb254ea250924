// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 by utfcpp, and escapes.
#include "tools/common/utf8.hpp"

#include <cstdint>
#include <utf8.h>

namespace ringcast::tools {
namespace {

void append_escape(std::string& out, char byte) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      break;
  }
  const auto value = static_cast<unsigned char>(byte);
  out += "\\x";
  out += hex[value >> 4U];
  out += hex[value & 0xfU];
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    append_escape(out, byte);
  }
}

// C0, DEL and C1 (U+0080 to U+009F).
bool is_control(std::uint32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

// Of bytes that are well-formed.
void append_printable(std::string& out, std::string_view text) {
  const auto* at = text.begin();
  while (at != text.end()) {
    const auto* const character = at;
    const std::uint32_t point = utf8::unchecked::next(at);
    if (point == '\\' || is_control(point)) {
      append_escaped(out, {character, at});
    } else {
      out.append(character, at);
    }
  }
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) { return utf8::is_valid(bytes.begin(), bytes.end()); }

void append_one_line(std::string& out, std::string_view bytes) {
  const auto* at = bytes.begin();
  while (at != bytes.end()) {
    const auto* const bad = utf8::find_invalid(at, bytes.end());
    append_printable(out, {at, bad});
    at = bad;
    if (at != bytes.end()) append_escape(out, *at++);
  }
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace ringcast::tools
