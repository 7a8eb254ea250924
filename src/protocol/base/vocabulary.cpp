// SPDX-License-Identifier: Apache-2.0
//
// Names of the public enumerations and of configurations, as text and back.
#include <array>
#include <charconv>
#include <cstdio>

#include "ringcast/configuration.hpp"
#include "ringcast/error.hpp"
#include "ringcast/names.hpp"
#include "ringcast/service.hpp"
#include "ringcast/view.hpp"

namespace ringcast {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::malformed:
      return "malformed";
    case Errc::unsupported_version:
      return "unsupported_version";
    case Errc::name_in_use:
      return "name_in_use";
    case Errc::too_large:
      return "too_large";
    case Errc::would_block:
      return "would_block";
    case Errc::timed_out:
      return "timed_out";
    case Errc::unreachable:
      return "unreachable";
    case Errc::closed:
      return "closed";
    case Errc::inbox_full:
      return "inbox_full";
    case Errc::not_member:
      return "not_member";
    case Errc::already_member:
      return "already_member";
    case Errc::limit_exceeded:
      return "limit_exceeded";
    case Errc::io:
      return "io";
    case Errc::corrupt:
      return "corrupt";
  }
  return "unknown";
}

std::string_view to_string(Service service) {
  switch (service) {
    case Service::reliable:
      return "reliable";
    case Service::fifo:
      return "fifo";
    case Service::causal:
      return "causal";
    case Service::agreed:
      return "agreed";
    case Service::safe:
      return "safe";
  }
  return "unknown";
}

std::optional<Service> parse_service(std::string_view text) {
  constexpr std::array services = {
      Service::reliable, Service::fifo, Service::causal, Service::agreed, Service::safe};
  for (const auto service : services) {
    if (to_string(service) == text) return service;
  }
  return std::nullopt;
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::join:
      return "join";
    case Cause::leave:
      return "leave";
    case Cause::disconnect:
      return "disconnect";
    case Cause::network:
      return "network";
  }
  return "unknown";
}

std::string to_string(const ConfigurationId& id) {
  std::array<char, 9> boot{};
  (void)std::snprintf(boot.data(), boot.size(), "%08x", id.boot);
  return std::to_string(id.seq) + "." + id.representative + "." + boot.data();
}

Result<ConfigurationId> parse_configuration_id(std::string_view text) {
  const Error error{
      Errc::invalid_argument,
      "configuration \"" + std::string(text.substr(0, 100)) +
          "\" is not of the form SEQ.NAME.BOOT"};
  const auto first = text.find('.');
  const auto last = text.rfind('.');
  if (first == std::string_view::npos || first == last) return error;
  ConfigurationId id;
  const auto* const begin = text.data();
  const auto* const end = begin + text.size();
  const auto seq = std::from_chars(begin, begin + first, id.seq);
  const auto boot = std::from_chars(begin + last + 1, end, id.boot, 16);
  id.representative = text.substr(first + 1, last - first - 1);
  if (seq.ec != std::errc{} || seq.ptr != begin + first) return error;
  if (boot.ec != std::errc{} || boot.ptr != end || text.size() - last != 9) return error;
  if (!is_valid_word(id.representative)) return error;
  return id;
}

}  // namespace ringcast
