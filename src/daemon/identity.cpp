// SPDX-License-Identifier: Apache-2.0
#include "daemon/identity.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <unistd.h>

namespace ringcast {
namespace {

std::optional<std::size_t> find_name(const DaemonConfig& config, std::string_view name) {
  for (std::size_t i = 0; i < config.daemons.size(); ++i) {
    if (config.daemons[i].name == name) return i;
  }
  return std::nullopt;
}

std::string join_names(const DaemonConfig& config, const std::vector<std::size_t>& which) {
  std::string names;
  for (const auto index : which) {
    if (!names.empty()) names += ", ";
    names += config.daemons[index].name;
  }
  return names;
}

std::string all_names(const DaemonConfig& config) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < config.daemons.size(); ++i) {
    all.push_back(i);
  }
  return join_names(config, all);
}

}  // namespace

std::variant<std::size_t, ConfigProblem> choose_daemon(
    const DaemonConfig& config, const HostFacts& host) {
  if (!host.asked_for.empty()) {
    if (const auto found = find_name(config, host.asked_for)) return *found;
    return ConfigProblem{
        .at = {},
        .problem = "no [[daemon]] is named \"" + host.asked_for + "\"",
        .remedy = "choose one of: " + all_names(config)};
  }
  if (const auto found = find_name(config, host.host_name)) return *found;
  if (const auto found = find_name(config, short_host_name(host.host_name))) return *found;

  std::vector<std::size_t> local;
  for (std::size_t i = 0; i < config.daemons.size(); ++i) {
    if (find_local(host.addresses, config.daemons[i].address) != nullptr) local.push_back(i);
  }
  if (local.size() == 1) return local.front();
  if (local.empty()) {
    return ConfigProblem{
        .at = {},
        .problem = "no [[daemon]] is named like this host (\"" + host.host_name +
                   "\") and none has an address of it",
        .remedy = "say which one this is with --name or RINGCAST_NAME: " + all_names(config)};
  }
  return ConfigProblem{
      .at = config.daemons[local[1]].address_at,
      .problem = "several daemons have an address of this host: " + join_names(config, local),
      .remedy = "say which one this is with --name or RINGCAST_NAME"};
}

HostFacts read_host_facts(std::string_view asked_for) {
  HostFacts facts;
  facts.asked_for = std::string(asked_for);
  if (facts.asked_for.empty()) {
    const char* name = std::getenv("RINGCAST_NAME");
    if (name != nullptr) facts.asked_for = name;
  }
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) facts.host_name = host.data();
  facts.addresses = local_addresses();
  return facts;
}

std::string_view short_host_name(std::string_view host_name) {
  return host_name.substr(0, host_name.find('.'));
}

}  // namespace ringcast
