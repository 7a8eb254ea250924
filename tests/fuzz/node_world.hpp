// SPDX-License-Identifier: Apache-2.0
//
// NodeWorld: a whole Node, a virtual clock and a hostile world. It plays the driver: carries
// out effects, keeps what was sent, lets clients in. What a node promises whatever it is sent
// is checked at every step: its own packets and frames can be read, it shows no ring number it
// has not reserved, and what it orders has one order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/node_script.hpp"
#include "protocol/node.hpp"
#include "protocol/session/frames.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast::fuzz {

/// Daemons of the cluster in ring order; any of them can be the one under test.
inline constexpr std::array<const char*, 3> daemon_names{"a", "b", "c"};

/// Limits so low that scripts of some hundred steps reach them.
NodeConfig world_config(std::size_t self);
StartFacts world_facts(std::size_t self);

/// Who sends a packet, in a step's `a`: bits 0-1 choose a daemon (3: one nobody configured), bits
/// 2-3 its run.
NodeKey sender_of(std::uint8_t a);
inline constexpr std::uint8_t in_one_batch = 0x80;  ///< of `a`: the next packet comes with it

class NodeWorld {
 public:
  /// `self`: which daemon it is.
  explicit NodeWorld(std::size_t self);

  void carry_out(const Step& step);
  /// The hostile part is over. What a node owes its clients then, in a bounded time: alone, it
  /// works, and a new client is served; leaving, it stops.
  void check_recovers();

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::string state() const { return node_.status(now_).state; }
  [[nodiscard]] std::optional<Instant> next_deadline() const { return node_.next_deadline(); }
  struct Sent {
    std::vector<NodeId> to;
    BufferRef packet;
  };
  /// The packets sent last, at most so many.
  [[nodiscard]] const std::deque<Sent>& sent() const { return sent_; }
  [[nodiscard]] std::size_t sent_ever() const { return sent_ever_; }
  /// A state is to be stored: the next step should be Action::persist.
  [[nodiscard]] bool is_asking() const { return asked_.has_value(); }

 private:
  struct Client {
    SessionId id;
    std::size_t unwritten{0};
    bool open{true};
  };

  template <class Work>
  void input(Work work);
  void take(Effects& effects);
  void take_transmit(const Effects& effects, Transmit& transmit);
  void check_order(const OrderedEvent& event);
  void packet(const Step& step);
  void reflect(const Step& step);
  void feed(std::uint8_t a, BufferRef datagram);
  void flush_batch();
  void pass(Duration time);
  void fire();
  void persist();
  void ask(const Step& step);
  void send(std::size_t at, std::span<const std::byte> bytes);
  void offer_held();
  void reload(const Step& step);
  [[nodiscard]] Client* client(std::uint8_t a);
  void open_client();
  void take_frames(const ClientWrite& write);
  void read_frame(const ServerFrame& frame);
  void serve_a_client();
  void wait_until(bool (NodeWorld::*done)() const, Duration limit, std::string_view what);
  [[nodiscard]] bool works_alone() const;
  [[nodiscard]] bool is_served() const { return served_; }
  [[nodiscard]] bool has_stopped() const { return node_.stopped(); }

  std::size_t self_;
  Instant now_;
  Node node_;
  std::map<NodeKey, NullSealer> sealers_;
  std::deque<Sent> sent_;
  std::size_t sent_ever_{0};
  std::vector<BufferRef> batch_;
  std::vector<Client> clients_;
  std::optional<StoredState> asked_;
  std::uint64_t reserved_{0};
  bool leaving_{false};

  RingId configuration_;
  std::size_t members_{0};
  std::pair<Seq, std::uint32_t> last_message_;
  bool transitional_{false};
  bool answered_{false};  ///< a ping was
  bool served_{false};    ///< the last client's message came back to it
};

}  // namespace ringcast::fuzz
