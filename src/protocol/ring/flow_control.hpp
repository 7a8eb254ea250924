// SPDX-License-Identifier: Apache-2.0
//
// Flow control: how much this visit may originate. The unit is cost: bytes plus what a
// receiver's kernel charges per datagram, so that one rotation's data fits the smallest
// receive buffer of the ring whatever the packet sizes [FLW-1].
//
// The window is what the members' buffers allow, shrunk while retransmissions are requested or
// rotations are slow and grown again while neither is so [FLW-3]. Source of the fair share: TOCS95,
// section 8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringcast {

/// What a datagram of `bytes` costs a receiver.
constexpr std::uint64_t datagram_cost(std::size_t bytes) { return bytes + 1024; }

class FlowControl {
 public:
  /// A new ring: `window` is the smallest receive budget of its members, as cost.
  void reset(std::uint64_t window);

  struct Visit {
    std::uint64_t fcc{0};          ///< token's, as received
    std::uint64_t backlog{0};      ///< token's, as received
    std::uint64_t own_backlog{0};  ///< cost waiting here now
    std::uint64_t requested{0};    ///< packets requested on the token
    bool is_slow{false};           ///< the last rotation took a good part of the token loss time
  };
  /// Cost that may be originated in this visit. Never nothing, whatever the others sent, so that
  /// nobody starves [FLW-1].
  std::uint64_t allowance(const Visit& visit);
  /// What was sent in this visit (new and again); returns the token's new fcc.
  std::uint64_t account(std::uint64_t fcc, std::uint64_t sent);
  /// The token's new backlog.
  std::uint64_t account_backlog(std::uint64_t backlog, std::uint64_t own_backlog);

  [[nodiscard]] std::uint64_t window() const { return window_; }

 private:
  std::uint64_t ceiling_{0};
  std::uint64_t window_{0};
  std::uint64_t last_sent_{0};
  std::uint64_t last_backlog_{0};
};

}  // namespace ringcast
