// SPDX-License-Identifier: Apache-2.0
//
// Producer ids as text and from the kernel's random source.
#include "tools/ringlog/producer.hpp"

#include <random>

namespace ringcast::ringlog {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

std::string to_string(const ProducerId& id) {
  std::string text;
  for (const auto byte : id.bytes) {
    text += hex_digits[byte >> 4U];
    text += hex_digits[byte & 15U];
  }
  return text;
}

std::optional<ProducerId> parse_producer(std::string_view text) {
  ProducerId id;
  if (text.size() != 2 * id.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = hex_digits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    id.bytes[i / 2] = static_cast<std::uint8_t>((std::size_t{id.bytes[i / 2]} << 4U) | digit);
  }
  return id;
}

ProducerId random_producer() {
  // libstdc++ draws from the processor or getrandom; it neither blocks nor repeats.
  std::random_device source;
  ProducerId id;
  for (auto& byte : id.bytes) {
    byte = static_cast<std::uint8_t>(source() & 255U);
  }
  return id;
}

}  // namespace ringcast::ringlog
