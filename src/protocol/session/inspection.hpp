// SPDX-License-Identifier: Apache-2.0
//
// SessionInspection: a look at one session's share of memory, for checkers. Nothing in the
// protocol reads it.
#pragma once

#include <cstdint>

#include "protocol/base/ids.hpp"

namespace ringcast {

/// What one client takes of the daemon's memory.
struct SessionInspection {
  SessionId session;
  std::uint64_t backlog_bytes{0};    ///< written for it, not yet in its socket
  std::uint64_t input_bytes{0};      ///< read from it, not yet carried out
  std::uint64_t unordered_bytes{0};  ///< asked and waiting for the token
};

}  // namespace ringcast
