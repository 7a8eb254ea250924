// SPDX-License-Identifier: Apache-2.0
//
// Message as received, its place in the order, and the Confirmation its publisher gets.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/configuration.hpp"
#include "ringcast/names.hpp"
#include "ringcast/service.hpp"

namespace ringcast {

/// Where a message stands: the same at every receiver, and unique. Ordered by (seq, index)
/// inside one configuration.
struct Position {
  ConfigurationId configuration;  ///< the regular configuration it was originated in
  std::uint64_t seq{0};           ///< the packet that carried its last byte
  std::uint32_t index{0};         ///< its place inside that packet

  auto operator<=>(const Position&) const = default;
};

struct Message {
  Position position;
  MemberName sender;
  std::vector<std::string> groups;  ///< as the sender named them
  Service service{Service::agreed};
  std::int32_t type{0};      ///< the sender's own tag; 0 unless set
  bool transitional{false};  ///< delivered between a transitional signal and the next view
  std::vector<std::byte> payload;
};

/// A message where it lies, in the memory of the Client that received it: nothing of it is copied.
/// Valid until the function it was given to returns.
struct MessageView {
  const Position& position;
  std::string_view session;  ///< the sender's private name
  std::string_view daemon;   ///< the sender's
  std::span<const std::string_view> groups;
  Service service{Service::agreed};
  std::int32_t type{0};
  bool transitional{false};
  std::span<const std::byte> payload;

  /// Of all, to keep.
  [[nodiscard]] Message copy() const {
    return Message{
        .position = position,
        .sender = {.session = std::string(session), .daemon = std::string(daemon)},
        .groups = {groups.begin(), groups.end()},
        .service = service,
        .type = type,
        .transitional = transitional,
        .payload = {payload.begin(), payload.end()}};
  }
};

/// The fate of one publish, in the order of publishing.
struct Confirmation {
  std::uint64_t ticket{0};  ///< as returned by publish
  Position position;
  bool stable{false};        ///< held by every daemon of its configuration; with safe only
  bool transitional{false};  ///< reached only those who stayed together

  /// True when nothing but the loss of all daemons of the configuration can lose it.
  [[nodiscard]] bool is_kept() const { return stable && !transitional; }
};

}  // namespace ringcast
