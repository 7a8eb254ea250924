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

#include "configuration/options.hpp"
#include "daemon/config.hpp"
#include "daemon/text_options.hpp"

namespace ringcast {

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
/// The same without their setters.
const std::vector<OptionShape>& option_shapes();

}  // namespace ringcast
