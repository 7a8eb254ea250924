// SPDX-License-Identifier: Apache-2.0
//
// ProducerId: which stream of lines a line belongs to. 128 random bits, never reused: one per
// run for stdin, one per followed file for tails. Together with a line's sequence number
// (from 1, without holes) it names the line for ever, however often it is sent.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::ringlog {

struct ProducerId {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const ProducerId&) const = default;
};

/// 32 lower-case hex digits.
std::string to_string(const ProducerId& id);
/// The inverse of to_string, or nothing.
std::optional<ProducerId> parse_producer(std::string_view text);
/// Fresh, from the kernel's random source.
ProducerId random_producer();

struct Producer {
  ProducerId id;
  std::string name;  ///< for people: host, program or file

  auto operator<=>(const Producer&) const = default;
};

}  // namespace ringcast::ringlog
