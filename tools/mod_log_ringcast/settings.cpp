// SPDX-License-Identifier: Apache-2.0
//
// Directives in, a command line out.
#include "tools/mod_log_ringcast/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "tools/mod_log_ringcast/vhost_group.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t group_bytes_max = 56;  // a group's name has 64 and ".writers" follows
constexpr std::uint64_t buffer_min = std::uint64_t{64} << 10U;
constexpr std::uint64_t buffer_max = std::uint64_t{1} << 30U;
constexpr std::uint64_t groups_max_max = 4096;
constexpr std::uint64_t port_max = 65535;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end ? std::optional(value) : std::nullopt;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
  });
}

bool is_server(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = number(text.substr(colon + 1));
  return port && *port > 0 && *port <= port_max;
}

bool is_given(const std::vector<std::string>& options, const std::string& name) {
  return std::any_of(options.begin(), options.end(), [&](const std::string& word) {
    return word == name || word.rfind(name + "=", 0) == 0;
  });
}

}  // namespace

std::string add_daemons(Settings& settings, std::string_view text) {
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto daemon = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (daemon.substr(0, 1) != "/" && !is_server(daemon)) {
      return "\"" + std::string(daemon) +
             "\" is neither the absolute path of a daemon's socket nor HOST:PORT";
    }
    settings.daemons.emplace_back(daemon);
  }
  return {};
}

std::string set_buffer(Settings& settings, std::string_view text) {
  const auto unit = text.empty() ? '\0' : text.back();
  const unsigned shift = unit == 'k' || unit == 'K' ? 10 : unit == 'M' ? 20 : 0;
  const auto value = number(text.substr(0, text.size() - (shift > 0 ? 1 : 0)));
  if (!value || *value > buffer_max || (*value << shift) < buffer_min ||
      (*value << shift) > buffer_max) {
    return "\"" + std::string(text) + "\" must be a size from 64k to 1024M";
  }
  settings.buffer_bytes = *value << shift;
  return {};
}

std::string set_groups_max(Settings& settings, std::string_view text) {
  const auto value = number(text);
  if (!value || *value < 1 || *value > groups_max_max) {
    return "\"" + std::string(text) + "\" must be a number from 1 to " +
           std::to_string(groups_max_max);
  }
  settings.groups_max = text;
  return {};
}

bool is_group_target(std::string_view target) { return target.substr(0, 1) == "$"; }

bool is_vhost_target(std::string_view target) { return target == "$#vhost"; }

std::string check_target(std::string_view target) {
  if (!is_group_target(target) || is_vhost_target(target)) return {};
  const auto group = target.substr(1);
  constexpr std::string_view reserved = ".writers";
  const bool is_reserved =
      group.size() >= reserved.size() && group.substr(group.size() - reserved.size()) == reserved;
  if (is_word(group) && group.size() <= group_bytes_max && !is_reserved) return {};
  return "\"" + std::string(target) +
         "\" names no group: behind the $ stands \"#vhost\", or 1 to " +
         std::to_string(group_bytes_max) +
         " letters, digits, '_', '.', ':' or '-', not ending in \".writers\"";
}

std::vector<std::string> publisher_command(const Settings& settings) {
  std::vector<std::string> words = {
      settings.publisher,
      "fan-out",
      "--groups-max",
      settings.groups_max,
      "--overflow-group",
      std::string(vhost_overflow_group)};
  if (!settings.spool.empty()) words.insert(words.end(), {"--spool", settings.spool});
  for (const auto& daemon : settings.daemons) {
    words.insert(words.end(), {daemon.front() == '/' ? "--socket" : "--server", daemon});
  }
  const auto& given = settings.publisher_options;
  if (!is_given(given, "--max-line")) words.insert(words.end(), {"--max-line", "256k"});
  if (!is_given(given, "--timeout")) words.insert(words.end(), {"--timeout", "5s"});
  words.insert(words.end(), given.begin(), given.end());
  return words;
}

}  // namespace ringcast::ringlog
