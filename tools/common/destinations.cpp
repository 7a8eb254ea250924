// SPDX-License-Identifier: Apache-2.0
//
// Splitting at commas; the names are checked by the library.
#include "tools/common/destinations.hpp"

#include <algorithm>

#include "ringcast/names.hpp"

namespace ringcast::tools {

Result<std::vector<std::string>> parse_destinations(std::string_view text) {
  std::vector<std::string> groups;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string group(text.substr(begin, end - begin));
    if (const auto checked = check_destination(group); !checked) return checked.error();
    groups.push_back(std::move(group));
    begin = end + 1;
  }
  if (groups.size() > destinations_max) {
    return Error{
        Errc::invalid_argument,
        "a message can be sent to " + std::to_string(destinations_max) + " groups at most, not " +
            std::to_string(groups.size()) + ": send it several times"};
  }
  return groups;
}

}  // namespace ringcast::tools
