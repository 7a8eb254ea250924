// SPDX-License-Identifier: Apache-2.0
//
// How the programs write JSON: one value on one line, fields in the order of insertion.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ringcast::tools {

using Json = nlohmann::ordered_json;

/// The value on one line, without a newline. Bytes in its strings that are not UTF-8 become
/// U+FFFD: names and sentences come from the network, and the line must stay valid.
inline std::string one_line_json(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ringcast::tools
