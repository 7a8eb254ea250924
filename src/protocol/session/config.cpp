// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/config.hpp"

#include <string>

#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

Error broken(std::string sentence) { return Error{Errc::invalid_argument, std::move(sentence)}; }

}  // namespace

Result<void> SessionConfig::validate(std::uint32_t message_bytes_max) const {
  const auto message = std::to_string(message_bytes_max);
  if (message_bytes_max == 0 || message_bytes_max > session_message_bytes_max) {
    return broken(
        "message_bytes_max is " + message + "; sessions carry 1 to " +
        std::to_string(session_message_bytes_max) + " bytes");
  }
  if (backlog_bytes_max < 2 * std::uint64_t{message_bytes_max}) {
    return broken(
        "the session backlog of " + std::to_string(backlog_bytes_max) +
        " bytes must be at least twice message_bytes_max (" + message + ")");
  }
  if (credit_bytes == 0) return broken("the session credit must be at least 1 byte");
  if (sessions_max == 0) return broken("sessions_max must be at least 1");
  if (groups_per_session_max == 0) return broken("groups_per_session_max must be at least 1");
  if (handshake <= Duration::zero()) return broken("the handshake time must be longer than 0");
  return {};
}

}  // namespace ringcast
