// SPDX-License-Identifier: Apache-2.0
//
// The options of ringcast.toml as a table: section, key, what kind of value, its bounds and
// where it goes: set_text for a text, set_number for all others. The reader, the unknown-key hint
// and the test that conf/ringcast.toml mentions every option all walk this one table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"
#include "daemon/document.hpp"
#include "daemon/text_options.hpp"

namespace ringcast {

enum class OptionKind : std::uint8_t {
  text,
  count,     ///< an integer
  bytes,     ///< an integer, or "64MiB", "512KiB", "1GiB"
  duration,  ///< "400ms", "2s", "500us", "1m"; held in nanoseconds
};

struct Option {
  std::string_view section;
  std::string_view key;
  OptionKind kind{OptionKind::text};
  std::uint64_t min{0};
  std::uint64_t max{0};
  void (*set_number)(DaemonConfig&, std::uint64_t){nullptr};
  TextOutcome (*set_text)(DaemonConfig&, const ConfigEntry&){nullptr};
};

std::span<const Option> options();
const Option* find_option(std::string_view section, std::string_view key);

/// "ring.token_loss", one per option.
std::vector<std::string> known_keys();
/// The known word nearest to `word` by edit distance, however far that is.
/// REQUIRES: there are known words.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// Nanoseconds of "400ms"; nothing when it is no duration.
std::optional<std::uint64_t> parse_duration(std::string_view text);
/// Bytes of "64MiB"; nothing when it is no size.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// The inverse of the two above, in the largest unit that divides it.
std::string show_value(OptionKind kind, std::uint64_t value);

}  // namespace ringcast
