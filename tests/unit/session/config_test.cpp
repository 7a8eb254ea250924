// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/config.hpp"

#include <catch2/catch.hpp>

#include "protocol/session/frames.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

TEST_CASE("the session defaults hold with the default message size") {
  CHECK(SessionConfig{}.validate(8U << 20U));
}

TEST_CASE("each broken relation of the session options is named") {
  const auto broken =
      [](const SessionConfig& config, std::uint32_t message, std::string_view word) {
        const auto result = config.validate(message);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == Errc::invalid_argument);
        CHECK(result.error().message.find(word) != std::string::npos);
      };
  broken(SessionConfig{.backlog_bytes_max = 1999}, 1000, "twice message_bytes_max");
  CHECK(SessionConfig{.backlog_bytes_max = 2000}.validate(1000));
  broken(SessionConfig{}, 0, "message_bytes_max");
  broken(SessionConfig{}, session_message_bytes_max + 1, "message_bytes_max");
  broken(SessionConfig{.credit_bytes = 0}, 1000, "credit");
  broken(SessionConfig{.sessions_max = 0}, 1000, "sessions_max");
  broken(SessionConfig{.groups_per_session_max = 0}, 1000, "groups_per_session_max");
  broken(SessionConfig{.handshake = Duration::zero()}, 1000, "handshake");
}
