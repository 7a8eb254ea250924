// SPDX-License-Identifier: Apache-2.0
//
// NodeRecorder: lets a NodeWorld live in a ring with two real daemons and writes down, as the
// steps of a NodeScript, all that happens to it: a script that leads to any phase there is.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/node_script.hpp"
#include "fuzz/node_world.hpp"
#include "protocol/node.hpp"

namespace ringcast::fuzz {

class NodeRecorder {
 public:
  /// `self` is the daemon recorded.
  explicit NodeRecorder(std::size_t self);

  void start_peers();
  /// Runs until the recorded daemon is in `state`, or for `time`.
  void run_until(const std::string& state, Duration time);
  void run(Duration time) { run_until("never", time); }
  /// A step of ours: a client's, as a rule.
  void step(Action action, std::uint8_t a = 0, std::uint8_t b = 0, std::size_t bytes = 0);
  /// Every peer's client publishes so many bytes to a group.
  void peers_publish(std::size_t bytes, Service service);
  void crash(std::size_t peer) { peers_[peer].node.reset(); }
  /// Every `n`-th data packet to the recorded daemon is lost; 0: none.
  void lose_data(std::size_t n) { lose_every_ = n; }
  void cut_off(bool is_cut) { is_cut_ = is_cut; }

  /// The input that does it all again.
  [[nodiscard]] std::vector<std::byte> input() const;

 private:
  struct Peer {
    std::unique_ptr<Node> node;
    std::optional<StoredState> asked;
    SessionId client;
  };
  struct Flying {
    std::size_t from;
    std::size_t to;
    BufferRef packet;
  };

  void apply(Step step);
  void collect_sent();
  template <class Work>
  void at_peer(std::size_t peer, Work work);
  void settle();
  void arrive(const Flying& flying);
  bool next_event(Instant end);

  std::size_t self_;
  NodeWorld world_;
  NodeScript script_;
  std::size_t collected_{0};
  std::array<Peer, daemon_names.size()> peers_;
  std::deque<Flying> wire_;
  std::size_t lose_every_{0};
  std::size_t data_seen_{0};
  bool is_cut_{false};
  std::uint64_t tickets_{0};
};

}  // namespace ringcast::fuzz
