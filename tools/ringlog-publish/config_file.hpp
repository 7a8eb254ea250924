// SPDX-License-Identifier: Apache-2.0
//
// ConfigFile: options as TOML, one `key = value` for each, named as on the command line with
// '_' for '-'. Lists give an option several times. Nothing is believed before the command line's
// own checks have seen it; every problem has its line and column.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::ringlog {

/// One option of the file, as it would stand on the command line.
struct ConfigItem {
  std::string option;  ///< "--max-line"
  std::vector<std::string> values;
  std::uint32_t line{1};
  std::uint32_t column{1};
};

struct ConfigFile {
  std::vector<ConfigItem> items;
  std::vector<std::string> problems;  ///< "FILE:LINE:COLUMN: problem; remedy"
};

/// `known`: the options that there are, with their dashes.
ConfigFile parse_config(
    const std::string& file, std::string_view text, const std::vector<std::string>& known);
/// "FILE:LINE:COLUMN: problem".
std::string config_problem(
    const std::string& file, const ConfigItem& item, const std::string& problem);

}  // namespace ringcast::ringlog
