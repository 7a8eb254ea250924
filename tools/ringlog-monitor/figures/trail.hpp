// SPDX-License-Identifier: Apache-2.0
//
// Trail: the last requests of a visitor, in the order in which they came, whichever server they
// went to. Bounded; what had to go is counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

struct Click {
  Instant at{};
  std::uint16_t status{0};  ///< 0: the log has none
  std::string server;       ///< cut at 64 bytes
  std::string page;         ///< cut at 128 bytes
};

class Trail {
 public:
  static constexpr std::size_t clicks_max = 64;

  /// How many more clicks are kept now: 0 when the oldest one had to go, else 1.
  std::size_t add(Click click);
  /// Forgets all of them; how many that were.
  std::size_t cut();

  [[nodiscard]] std::size_t size() const { return clicks_.size(); }
  /// How many came before the first one that is kept.
  [[nodiscard]] std::uint64_t gone() const { return gone_; }
  /// The oldest first.
  [[nodiscard]] std::vector<Click> list() const;

 private:
  std::vector<Click> clicks_;  // a ring once it is full
  std::size_t oldest_{0};
  std::uint64_t gone_{0};
};

}  // namespace ringcast::monitor
