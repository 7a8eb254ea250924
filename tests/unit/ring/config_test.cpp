// SPDX-License-Identifier: Apache-2.0
//
// The relations between the ring's options, at both sides of each boundary.
#include "protocol/ring/config.hpp"

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

using std::chrono::milliseconds;

/// The option blamed first, or "" when all relations hold.
std::string blamed(const RingConfig& config) {
  const auto broken = config.broken_relations();
  CHECK(config.validate().ok() == broken.empty());
  return broken.empty() ? "" : std::string(broken.front().options.front());
}

template <auto Field, class Value>
std::string with(Value value) {
  RingConfig config;
  config.*Field = value;
  return blamed(config);
}

}  // namespace

TEST_CASE("the defaults keep every relation", "[ring][config]") {
  CHECK(blamed(RingConfig{}).empty());
}

TEST_CASE("timing relations hold up to their boundaries", "[ring][config]") {
  CHECK(with<&RingConfig::token_hold>(milliseconds(199)).empty());
  CHECK(with<&RingConfig::token_hold>(milliseconds(200)) == "token_hold");
  CHECK(with<&RingConfig::token_retransmit_max>(milliseconds(100)).empty());
  CHECK(with<&RingConfig::token_retransmit_max>(milliseconds(101)) == "token_retransmit_max");
  CHECK(with<&RingConfig::token_retransmit_min>(milliseconds(25)).empty());
  CHECK(with<&RingConfig::token_retransmit_min>(milliseconds(26)) == "token_retransmit_min");
  CHECK(with<&RingConfig::token_retransmit_min>(milliseconds(0)) == "token_retransmit_min");
  CHECK(with<&RingConfig::consensus>(milliseconds(440)).empty());
  CHECK(with<&RingConfig::consensus>(milliseconds(439)) == "consensus");
  CHECK(with<&RingConfig::join_interval>(milliseconds(120)).empty());
  CHECK(with<&RingConfig::join_interval>(milliseconds(121)) == "join_interval");
  CHECK(with<&RingConfig::join_interval>(milliseconds(0)) == "join_interval");
  CHECK(with<&RingConfig::fail_to_receive>(milliseconds(400)) == "fail_to_receive");
  CHECK(with<&RingConfig::backoff_max>(milliseconds(249)) == "backoff_max");
}

TEST_CASE("size relations hold up to their boundaries", "[ring][config]") {
  CHECK(with<&RingConfig::datagram_bytes_max>(1200U).empty());
  CHECK(with<&RingConfig::datagram_bytes_max>(1199U) == "datagram_bytes_min");
  CHECK(with<&RingConfig::window_bytes_max>(std::uint64_t{16} << 20U).empty());
  CHECK(with<&RingConfig::window_bytes_max>((std::uint64_t{16} << 20U) - 1) == "window_bytes_max");
  CHECK(
      with<&RingConfig::send_queue_bytes_max>((std::uint64_t{8} << 20U) - 1) ==
      "send_queue_bytes_max");
  CHECK(with<&RingConfig::accelerated_percent>(100U).empty());
  CHECK(with<&RingConfig::accelerated_percent>(101U) == "accelerated_percent");
}

TEST_CASE("every broken relation is reported, and validate gives the first", "[ring][config]") {
  RingConfig config;
  config.token_hold = milliseconds(300);
  config.accelerated_percent = 200;
  const auto broken = config.broken_relations();
  REQUIRE(broken.size() == 2);
  const auto valid = config.validate();
  REQUIRE_FALSE(valid);
  CHECK(valid.error().code == Errc::invalid_argument);
  CHECK(valid.error().message == broken[0].problem + "; " + broken[0].remedy);
}

}  // namespace ringcast
