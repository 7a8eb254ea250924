// SPDX-License-Identifier: Apache-2.0
//
// Names of groups, members and daemons: their grammar and their limits.
//
//   word    = 1*64( A-Z a-z 0-9 "_" "." ":" "-" )
//   group   = word                       an open group: anyone may send to it
//   member  = "#" word "#" word          private name and daemon; also its private group
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

namespace ringcast {

inline constexpr std::size_t name_bytes_max = 64;
/// "#name#daemon", both at their longest.
inline constexpr std::size_t destination_bytes_max = 2 * name_bytes_max + 2;

/// True for 1 to 64 bytes of letters, digits, '_', '.', ':' and '-'.
bool is_valid_word(std::string_view text);

/// A session: its private name and the daemon it is connected to. Also the name of its
/// private group, for point-to-point messages.
struct MemberName {
  std::string session;
  std::string daemon;

  auto operator<=>(const MemberName&) const = default;
};

/// "#session#daemon".
std::string to_string(const MemberName& name);
/// Errors: invalid_argument, with the rule that was broken.
Result<MemberName> parse_member(std::string_view text);

/// Checks that `text` may be joined: a word.
Result<void> check_group(std::string_view text);
/// Checks that `text` may be sent to: a word or a member's private group.
Result<void> check_destination(std::string_view text);

}  // namespace ringcast
