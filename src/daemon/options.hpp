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

struct Option : OptionShape {
  using SetNumber = void (*)(DaemonConfig&, std::uint64_t);
  using SetText = TextOutcome (*)(DaemonConfig&, const ConfigEntry&);

  constexpr Option(
      std::string_view its_section,
      std::string_view its_key,
      OptionKind its_kind,
      std::uint64_t least,
      std::uint64_t most,
      SetNumber setter)
      : OptionShape{its_section, its_key, its_kind, least, most}, set_number(setter) {}
  constexpr Option(std::string_view its_section, std::string_view its_key, SetText setter)
      : OptionShape{its_section, its_key, OptionKind::text, 0, 0}, set_text(setter) {}

  SetNumber set_number{nullptr};
  SetText set_text{nullptr};
};

std::span<const Option> options();
const Option* find_option(std::string_view section, std::string_view key);

/// "ring.token_loss", one per option.
std::vector<std::string> known_keys();
/// The same without their setters.
const std::vector<OptionShape>& option_shapes();

}  // namespace ringcast
