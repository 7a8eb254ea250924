// SPDX-License-Identifier: Apache-2.0
//
// Aims: faults that wait for a moment of the protocol ("the third token visit of a recovery, at
// d2") and not for a time. Most of what can go wrong can go wrong only then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/trace.hpp"
#include "sim/random.hpp"

namespace ringcast::sim {

enum class Moment : std::uint8_t {
  token_received,    ///< in operation
  token_sent,        ///< its tail of data may still be on the way out
  token_held,        ///< the ring goes to sleep
  token_lost,        ///< nobody passed it on for too long
  token_sent_again,  ///< no sign of the token that was passed on
  originated,        ///< a packet was given its number
  gather,            ///< who is alive?
  commit,            ///< first visit of the commit token
  recovery,          ///< its second visit
  recovery_visit,    ///< the token's n-th visit in a recovery
  obligation,        ///< everything received: from here on it must be delivered
  transitional,      ///< the transitional configuration was handed up
  installed,         ///< operational again
  merge,             ///< another ring was heard
  exchange,          ///< the groups' states are exchanged
  exchange_done,     ///< and known to all
  persist,           ///< ring numbers are reserved on the disk
  restarted,         ///< a daemon started
};
inline constexpr std::size_t moments = 18;

std::string_view to_string(Moment moment);

struct Aim {
  Moment moment{Moment::gather};
  unsigned number{1};               ///< the how many-th, from when it was aimed
  std::optional<std::size_t> host;  ///< any
  bool breaks{false};               ///< not any fault, but one that ends this recovery
};

/// The faults that wait, a few at a time.
class Aims {
 public:
  /// Draws a moment to wait for.
  void add(Random& random, std::size_t hosts);
  /// Draws a moment of a recovery at which it is to be broken off.
  void add_break(Random& random);
  /// What waited for this. `number`, when not 0, is the moment's own count.
  std::optional<Aim> take(std::size_t host, Moment moment, unsigned number);
  [[nodiscard]] bool waits_for(Moment moment) const;
  void clear() { waiting_.clear(); }

 private:
  void wait_for(const Aim& aim);

  std::vector<Aim> waiting_;
};

/// The moment that a trace event is, when it is one.
std::optional<Moment> moment_of(const TraceEvent& event);

}  // namespace ringcast::sim
