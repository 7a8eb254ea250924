// SPDX-License-Identifier: Apache-2.0
//
// SessionConfig: bounds on what one client and all clients may take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ringcast/result.hpp"

#include "protocol/base/time.hpp"

namespace ringcast {

struct SessionConfig {
  std::uint64_t backlog_bytes_max{
      std::uint64_t{64} << 20U};  ///< unread by a client; beyond: closed
  std::uint64_t credit_bytes{
      std::uint64_t{512} << 10U};  ///< published and not yet ordered, per client
  std::uint32_t sessions_max{4096};
  std::uint32_t groups_per_session_max{4096};
  Duration handshake{std::chrono::seconds{5}};  ///< then a silent connection is closed

  /// `message_bytes_max` is the ring's. Errors: invalid_argument naming the relation broken.
  [[nodiscard]] Result<void> validate(std::uint32_t message_bytes_max) const;
};

}  // namespace ringcast
