// SPDX-License-Identifier: Apache-2.0
//
// RingConfig: the tunables of the ring with their defaults, units and relations. Nothing here
// needs touching on a host, a LAN or a lossy link; validate() keeps the relations that the
// protocol's progress rests on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "protocol/base/time.hpp"

namespace ringcast {

/// Options that contradict one another, named as the fields of RingConfig are.
struct BrokenRelation {
  std::vector<std::string_view> options;  ///< the one to blame first
  std::string problem;
  std::string remedy;
};

struct RingConfig {
  Duration token_loss{std::chrono::milliseconds{400}};  ///< no token for so long: it is lost
  Duration token_retransmit_max{
      std::chrono::milliseconds{25}};  ///< upper bound; adapts to the rotation
  Duration token_retransmit_min{std::chrono::milliseconds{2}};
  Duration token_hold{std::chrono::milliseconds{100}};  ///< an idle ring rotates once per so long
  Duration token_rest_after{
      std::chrono::milliseconds{2}};  ///< nothing happens for so long: the token is held
  Duration join_interval{std::chrono::milliseconds{25}};    ///< joins are sent again, in gather
  Duration consensus{std::chrono::milliseconds{480}};       ///< then the silent are failed
  Duration probe_interval{std::chrono::milliseconds{250}};  ///< looks for daemons outside the ring
  Duration backoff_max{std::chrono::seconds{10}};           ///< for a daemon that keeps falling out
  Duration fail_to_receive{
      std::chrono::milliseconds{2000}};  ///< aru stuck at one daemon for so long

  std::uint32_t datagram_bytes_min{1200};   ///< smallest packet size ever used
  std::uint32_t datagram_bytes_max{65507};  ///< cap on what the path would carry
  std::uint32_t window_packets_max{8192};   ///< seq above the safe line; bounds memory
  std::uint64_t window_bytes_max{std::uint64_t{64} << 20U};  ///< bytes held above the safe line
  std::uint32_t message_bytes_max{std::uint32_t{8} << 20U};  ///< largest client payload
  std::uint64_t send_queue_bytes_max{
      std::uint64_t{64} << 20U};           ///< waiting for the token; then clients are not read
  std::uint32_t accelerated_percent{100};  ///< share of a visit's data sent after the token, 0..100

  // For tests of numbers close to their limits; 0 for everyone else, and equal at all daemons.
  std::uint64_t packets_before{0};  ///< a ring's first packet has the number after this one
  std::uint64_t tokens_before{0};   ///< and so has its first token

  /// Errors: invalid_argument naming the option and the relation it breaks.
  [[nodiscard]] Result<void> validate() const;
  /// Every relation that does not hold; empty when validate() is content.
  [[nodiscard]] std::vector<BrokenRelation> broken_relations() const;
};

}  // namespace ringcast
