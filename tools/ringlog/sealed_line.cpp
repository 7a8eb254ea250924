// SPDX-License-Identifier: Apache-2.0
//
// XXH3-64 in front of JSON.
#include "tools/ringlog/sealed_line.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <xxhash.h>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t digits = 16;

}  // namespace

std::string sealed_line(const tools::Json& json) {
  const auto text = tools::one_line_json(json);
  std::array<char, digits + 1> checksum{};
  (void)std::snprintf(
      checksum.data(),
      checksum.size(),
      "%016llx",
      static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return std::string(checksum.data()) + " " + text + "\n";
}

std::optional<std::string_view> unsealed_text(std::string_view line) {
  if (line.size() < digits + 2 || line[digits] != ' ') return std::nullopt;
  const auto text = line.substr(digits + 1);
  std::uint64_t checksum = 0;
  const auto* const end = line.data() + digits;
  const auto read = std::from_chars(line.data(), end, checksum, 16);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  if (checksum != XXH3_64bits(text.data(), text.size())) return std::nullopt;
  return text;
}

std::optional<tools::Json> unsealed_line(std::string_view line) {
  const auto text = unsealed_text(line);
  if (!text) return std::nullopt;
  auto json = tools::Json::parse(*text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

}  // namespace ringcast::ringlog
