// SPDX-License-Identifier: Apache-2.0
//
// Settings: what the module's directives say, and the command line of the publisher that comes
// of it. Each setter takes a directive's text as it stands in the configuration and returns what
// is wrong with it, in words for the administrator, or nothing. Knows nothing of Apache.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::ringlog {

struct Settings {
  std::vector<std::string> daemons;  ///< socket paths and HOST:PORT; none: the default socket
  std::string publisher;             ///< path of ringlog-publish
  std::string spool;                 ///< empty: none
  std::size_t buffer_bytes{std::size_t{1} << 20U};  ///< of each server process
  std::string groups_max{"64"};
  std::vector<std::string> publisher_options;
};

/// One or several, with commas between them.
std::string add_daemons(Settings& settings, std::string_view text);
/// "64k", "4M"; from 64 KiB to 1 GiB.
std::string set_buffer(Settings& settings, std::string_view text);
std::string set_groups_max(Settings& settings, std::string_view text);
/// The target of CustomLog and the like: "$GROUP" or "$#vhost"; others are none of ours and fine.
std::string check_target(std::string_view target);
bool is_group_target(std::string_view target);
bool is_vhost_target(std::string_view target);

/// The path first.
std::vector<std::string> publisher_command(const Settings& settings);

}  // namespace ringcast::ringlog
