// SPDX-License-Identifier: Apache-2.0
//
// PublisherConfig: options as TOML, one `key = value` for each, named as on the command line with
// '_' for '-'. Lists give an option several times. Nothing is believed before the command line's
// own checks have seen it; every problem has its line and column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "configuration/document.hpp"

namespace ringcast::ringlog {

/// One option of the file, as it would stand on the command line.
struct ConfigItem {
  std::string option;  ///< "--max-line"
  std::vector<std::string> values;
  FilePosition at;
};

struct PublisherConfig {
  std::vector<ConfigItem> items;
  std::vector<ConfigProblem> problems;
};

/// `known`: the options that there are, with their dashes.
PublisherConfig parse_config(std::string_view text, const std::vector<std::string>& known);

}  // namespace ringcast::ringlog
