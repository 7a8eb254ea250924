// SPDX-License-Identifier: Apache-2.0
//
// A map with an end.
#include "tools/ringlog-monitor/figures/servers.hpp"

namespace ringcast::monitor {

double ServerFigures::error_share() const {
  if (total.requests == 0) return 0;
  return static_cast<double>(total.errors) / static_cast<double>(total.requests);
}

ServerFigures& Servers::find(std::string_view name) {
  name = name.substr(0, name_bytes_max);
  auto found = servers_.find(name);
  if (found != servers_.end()) return found->second;
  if (servers_.size() >= servers_max_) name = others_name;
  return servers_.try_emplace(std::string(name)).first->second;
}

}  // namespace ringcast::monitor
