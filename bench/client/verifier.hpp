// SPDX-License-Identifier: Apache-2.0
//
// Verifier: one receiver's judgement of what it was delivered. Each sender's numbers must come
// one by one from 0 to the number its last message announces; and what arrives, in the order in
// which it arrives, goes into a hash that two receivers share only when they saw one order.
//
// It knows nothing of systems: whether the hashes must agree is for compare.sh to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/message.hpp"

namespace ringcast::bench {

class Verifier {
 public:
  Verifier(std::uint32_t senders, std::size_t message_bytes)
      : message_bytes_(message_bytes), senders_(senders) {}

  /// A message of any kind but hello. `bytes` is its length.
  void take(const Head& head, std::size_t bytes);
  /// A delivery that is no message of ours.
  void take_garbage() { ++spoiled_; }

  /// The last message of every sender has come.
  [[nodiscard]] bool is_complete() const { return ended_ == senders_.size(); }

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  /// Known to have been sent and not delivered in their turn.
  [[nodiscard]] std::uint64_t missing() const { return missing_; }
  /// Delivered twice, or after a later one of the same sender.
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
  /// Of another length than all, of no known sender, or not a message at all.
  [[nodiscard]] std::uint64_t spoiled() const { return spoiled_; }
  [[nodiscard]] std::uint64_t order() const { return order_; }

 private:
  struct Sender {
    std::uint64_t next{0};
    bool ended{false};
  };

  std::size_t message_bytes_;
  std::vector<Sender> senders_;
  std::size_t ended_{0};
  std::uint64_t delivered_{0};
  std::uint64_t missing_{0};
  std::uint64_t repeated_{0};
  std::uint64_t spoiled_{0};
  std::uint64_t order_{0xcbf29ce484222325};
};

}  // namespace ringcast::bench
