// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 by the table of the Unicode standard (3-7), base64, and escapes.
#include "tools/common/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace ringcast::tools {
namespace {

std::uint8_t octet(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

// How many bytes the character that starts with `first` has; 0 for none. The range of the
// second byte is what excludes overlong forms, surrogates and values above U+10FFFF.
struct Lead {
  std::size_t length{0};
  std::uint8_t second_min{0x80};
  std::uint8_t second_max{0xbf};
};

Lead lead_of(std::uint8_t first) {
  if (first < 0x80) return {1};
  if (first >= 0xc2 && first <= 0xdf) return {2};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first >= 0xe1 && first <= 0xef) return {3};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first >= 0xf1 && first <= 0xf3) return {4};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

// Length of the well-formed character at `at`, 0 when there is none.
std::size_t character_length(std::string_view bytes, std::size_t at) {
  const Lead lead = lead_of(octet(bytes, at));
  if (lead.length <= 1) return lead.length;
  if (bytes.size() - at < lead.length) return 0;
  const auto second = octet(bytes, at + 1);
  if (second < lead.second_min || second > lead.second_max) return 0;
  for (std::size_t i = 2; i < lead.length; ++i) {
    if ((octet(bytes, at + i) & 0xc0U) != 0x80U) return 0;
  }
  return lead.length;
}

bool eight_ascii(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return (word & 0x8080808080808080U) == 0;
}

void append_escape(std::string& out, std::uint8_t value) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (value) {
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
  out += "\\x";
  out += hex[value >> 4U];
  out += hex[value & 0xfU];
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    append_escape(out, octet(bytes, i));
  }
}

// C0 and DEL in one byte; C1 (U+0080 to U+009F) in two.
bool is_control(std::string_view character) {
  const auto first = octet(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return character.size() == 2 && first == 0xc2 && octet(character, 1) < 0xa0;
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= 8 && eight_ascii(bytes, at)) {
      at += 8;
      continue;
    }
    const std::size_t length = character_length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void append_base64(std::string& out, std::span<const std::byte> bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group <<= 8U;
      if (i < count) group |= std::to_integer<std::uint32_t>(bytes[at + i]);
    }
    const std::array<char, 4> four = {
        alphabet[group >> 18U],
        alphabet[(group >> 12U) & 63U],
        count > 1 ? alphabet[(group >> 6U) & 63U] : '=',
        count > 2 ? alphabet[group & 63U] : '='};
    out.append(four.data(), four.size());
  }
}

void append_one_line(std::string& out, std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t length = character_length(bytes, at);
    const std::string_view character = bytes.substr(at, std::max<std::size_t>(length, 1));
    if (length == 0 || character == "\\" || is_control(character)) {
      append_escaped(out, character);
    } else {
      out += character;
    }
    at += character.size();
  }
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace ringcast::tools
