// SPDX-License-Identifier: Apache-2.0
//
// Versions of the library, of the session protocol (client to daemon, docs/session.md) and
// of the wire protocol (daemon to daemon, docs/protocol.md).
#pragma once

#include <cstdint>
#include <string_view>

namespace ringcast {

inline constexpr std::string_view version = "0.1.0";
inline constexpr std::uint16_t session_version_min = 1;
inline constexpr std::uint16_t session_version_max = 1;
inline constexpr std::uint8_t wire_version = 1;

}  // namespace ringcast
