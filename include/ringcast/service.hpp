// SPDX-License-Identifier: Apache-2.0
//
// Service: how strong the promise is that comes with a message. All services below
// `safe` are delivered in the agreed order, so each is at least as strong as its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ringcast {

enum class Service : std::uint8_t {
  reliable = 0,  ///< delivered by every daemon that stays connected
  fifo = 1,      ///< and in each sender's order
  causal = 2,    ///< and after everything the sender had seen
  agreed = 3,    ///< and in one total order everywhere
  safe = 4,      ///< and only once every daemon of the configuration holds it
};

std::string_view to_string(Service service);
/// The service of that name, or nothing.
std::optional<Service> parse_service(std::string_view text);

}  // namespace ringcast
