// SPDX-License-Identifier: Apache-2.0
//
// House: some nodes and one client at each, in one process, without sockets, clocks or chance: a
// driver that carries out every effect at once, in an order of its own. The same calls cost the
// same number of instructions and allocations wherever they run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/node.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast::bench {

class House {
 public:
  /// The nodes' ring has formed and their clients are members of one group.
  explicit House(std::size_t nodes);
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;
  House(House&&) = delete;
  House& operator=(House&&) = delete;

  /// Each client publishes `count` messages of `bytes`, with at most `window` of its own on their
  /// way, until all have all of them; the messages received. Throws std::runtime_error when what
  /// arrives is not what was sent.
  std::uint64_t exchange(std::uint32_t count, std::size_t bytes, std::uint32_t window);

 private:
  struct Room;

  void form();
  /// Virtual time passes until `done()`. Throws std::runtime_error when that takes minutes.
  template <class Done>
  void run_until(Done done);
  /// False when there was nothing to do at this moment.
  bool turn(Room& room);
  void carry_out(Room& room);
  void transmit_to_all(Room& room, Transmit& transmit);
  /// Into the client's socket; the bytes.
  static std::size_t write(Room& room);
  void take_frames(Room& room);
  void take_message(Room& room, const MessageFrame& message) const;
  void publish(Room& room);
  void advance();

  std::vector<std::unique_ptr<Room>> rooms_;
  Instant now_{std::chrono::seconds{1}};
  std::vector<std::byte> payload_;
  std::uint32_t count_{0};
  std::uint32_t window_{0};
};

}  // namespace ringcast::bench
