// SPDX-License-Identifier: Apache-2.0
//
// From any bytes to a valid group.
#include "tools/mod_log_ringcast/vhost_group.hpp"

#include <algorithm>

namespace ringcast::ringlog {

namespace {

constexpr std::string_view prefix = "vhost.";
constexpr std::string_view reserved_suffix = ".writers";
// A group of lines leaves room for the suffix in a name of 64 bytes.
constexpr std::size_t host_bytes_max = 64 - prefix.size() - reserved_suffix.size();

// Not isalnum(): its answer would depend on the locale.
char cleaned(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  return is_kept ? c : '_';
}

}  // namespace

std::string vhost_group(std::string_view host) {
  host = host.substr(0, host.find(':'));
  const auto end = host.find_last_not_of('.');
  host = host.substr(0, end == std::string_view::npos ? 0 : end + 1);
  host = host.substr(0, host_bytes_max);
  std::string group(prefix);
  std::transform(host.begin(), host.end(), std::back_inserter(group), cleaned);
  if (host.empty()) group += '_';
  if (group.size() > reserved_suffix.size() &&
      std::string_view(group).substr(group.size() - reserved_suffix.size()) == reserved_suffix) {
    group.back() = '_';
  }
  return group;
}

}  // namespace ringcast::ringlog
