// SPDX-License-Identifier: Apache-2.0
//
// The group of a virtual host, for `CustomLog "$#vhost"`. Host names come from the network:
// whatever they are, the group is a valid one, its name begins with "vhost." so that no other
// group can be meant, and is none that writers keep for themselves. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace ringcast::ringlog {

/// Of lines whose virtual host is one too many.
inline constexpr std::string_view vhost_overflow_group = "vhost._other";

/// "vhost." and the name in lower case, without port and trailing dots, everything but letters,
/// digits, '-' and '.' an underscore, cut to what a group's name may have.
std::string vhost_group(std::string_view host);

}  // namespace ringcast::ringlog
