// SPDX-License-Identifier: Apache-2.0
//
// Whether bytes are text, and how they look when they are not.
#include "tools/common/utf8.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace std::string_view_literals;
using namespace ringcast::tools;

namespace {

// The definition, not the table: encode every code point and look.
std::string encode(std::uint32_t point) {
  const auto tail = [point](unsigned shift) {
    return static_cast<char>(0x80U | ((point >> shift) & 0x3fU));
  };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0U | (point >> 6U)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0U | (point >> 12U)), tail(6), tail(0)};
  return {static_cast<char>(0xf0U | (point >> 18U)), tail(12), tail(6), tail(0)};
}

std::string one_line(std::string_view text) {
  std::string out;
  append_one_line(out, text);
  return out;
}

}  // namespace

TEST_CASE("UTF-8: every code point but the surrogates is valid UTF-8") {
  std::uint32_t wrong = 0;
  for (std::uint32_t point = 0; point <= 0x1fffff; ++point) {
    const bool legal = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (is_valid_utf8(encode(point)) != legal) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8: every pair of bytes is judged as the encoder would") {
  std::uint32_t wrong = 0;
  for (std::uint32_t first = 0; first < 256; ++first) {
    for (std::uint32_t second = 0; second < 256; ++second) {
      const std::string pair = {static_cast<char>(first), static_cast<char>(second)};
      const std::uint32_t point = ((first & 0x1fU) << 6U) | (second & 0x3fU);
      const bool legal =
          (first < 0x80 && second < 0x80) || (point >= 0x80 && encode(point) == pair);
      if (is_valid_utf8(pair) != legal) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8: what is cut short, overlong or stray is not UTF-8") {
  CHECK(is_valid_utf8(""));
  CHECK_FALSE(is_valid_utf8("\x80"));
  CHECK_FALSE(is_valid_utf8("\xff"));
  CHECK_FALSE(is_valid_utf8("\xc0\xaf"));
  CHECK_FALSE(is_valid_utf8("\xe0\x80\xaf"));
  CHECK_FALSE(is_valid_utf8("\xf0\x80\x80\xaf"));
  CHECK_FALSE(is_valid_utf8("\xed\xa0\x80"));
  CHECK_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));
  const std::string euro = "\xe2\x82\xac";
  for (std::size_t length = 1; length < euro.size(); ++length) {
    CHECK_FALSE(is_valid_utf8(euro.substr(0, length)));
  }
}

TEST_CASE("UTF-8: a wrong byte is found wherever it stands") {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      CHECK(is_valid_utf8(text));
      text[at] = '\xfe';
      CHECK_FALSE(is_valid_utf8(text));
    }
  }
}

TEST_CASE("UTF-8: a payload stays on its line and cannot drive the terminal") {
  CHECK(one_line("plain text") == "plain text");
  CHECK(one_line("gr\xc3\xbc\xc3\x9f\x65") == "gr\xc3\xbc\xc3\x9f\x65");
  CHECK(one_line("a\nb\tc\rd\\e") == "a\\nb\\tc\\rd\\\\e");
  CHECK(one_line("\x1b[2J\x7f\x00"sv) == "\\x1b[2J\\x7f\\x00");
  CHECK(one_line("\xc2\x9b") == "\\xc2\\x9b");
  CHECK(one_line("\xff\xe2\x82") == "\\xff\\xe2\\x82");
}
