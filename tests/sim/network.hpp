// SPDX-License-Identifier: Apache-2.0
//
// Network: directed links between hosts. A link is a filter (what happens to a packet) and a
// place in one queue ordered by the time packets are ready. A script and a random run use the
// same network; only who sets the faults differs.
//
// What arrives may also come from elsewhere: strangers on the same port, copies of what was sent
// long ago. inject() puts it there; the network remembers what went to each host when asked to.
//
// Without `reorder` a link is first-in first-out. Packets already in flight when a link is
// blocked still arrive, as they do on a real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/time.hpp"
#include "sim/random.hpp"

namespace ringcast::sim {

/// What a link does to packets. Probabilities are per packet, 0..1.
struct LinkFaults {
  Duration delay_min{std::chrono::microseconds{50}};
  Duration delay_max{std::chrono::microseconds{150}};
  double tail{0};  ///< a Pareto tail on top of the delay, cut at delay_tail_max
  Duration tail_max{std::chrono::milliseconds{300}};
  double loss{0};
  double burst_start{0};    ///< enters the lossy state: everything is lost there
  double burst_stop{0.05};  ///< leaves it
  double duplicate{0};
  Duration duplicate_delay_max{std::chrono::milliseconds{1}};
  double reorder{0};  ///< may be overtaken, by up to reorder_delay_max
  Duration reorder_delay_max{std::chrono::milliseconds{2}};
  double corrupt{0};  ///< a flipped bit, a cut tail, a number that is another
  bool blocked{false};
  std::size_t packet_bytes_max{65535};  ///< longer ones vanish: an MTU black hole
  // Middleboxes that do not like one kind of packet.
  double lose_tokens{0};
  double lose_commits{0};
  double lose_joins{0};
  double lose_data{0};
  std::size_t rate_bytes{0};                         ///< per second; 0: as many as come
  std::size_t queue_bytes{std::size_t{256} << 10U};  ///< waiting for their turn, then dropped
};

/// refused: by the sender's own machine.
enum class Fate : std::uint8_t { sent, lost, blocked, filtered, too_long, queue_full, refused };

/// A packet under way.
struct Flight {
  Instant ready;
  std::uint64_t order{0};  ///< breaks ties
  std::size_t from{0};
  std::size_t to{0};
  BufferRef bytes;
};

struct NetworkCounts {
  std::uint64_t sent{0};
  std::uint64_t lost{0};
  std::uint64_t blocked{0};
  std::uint64_t duplicated{0};
  std::uint64_t corrupted{0};
  std::uint64_t too_long{0};
  std::uint64_t queue_full{0};
  std::uint64_t lost_by_type{0};
  std::uint64_t injected{0};
};

class Network {
 public:
  using Filter = std::function<bool(std::size_t from, std::size_t to, std::span<const std::byte>)>;
  using Tap = std::function<void(
      Instant now, std::size_t from, std::size_t to, const BufferRef& bytes, Fate fate)>;

  Network(std::size_t hosts, Random random);

  /// The sender's machine does not take it; only the tap sees it.
  void refuse(Instant now, std::size_t from, std::size_t to, const BufferRef& bytes) {
    if (tap_) tap_(now, from, to, bytes, Fate::refused);
  }
  /// Copies the bytes for each: the sender may write over them afterwards, and a receiver over its
  /// own.
  void send(Instant now, std::size_t from, std::size_t to, const BufferRef& bytes);

  /// A packet of our own making, or one seen before: it arrives then, whatever the link is like.
  void inject(Instant ready, std::size_t from, std::size_t to, BufferRef bytes);

  [[nodiscard]] std::optional<Instant> next_ready() const;
  /// REQUIRES: next_ready() has a value.
  Flight pop();

  LinkFaults& link(std::size_t from, std::size_t to) { return links_[from * hosts_ + to].faults; }
  [[nodiscard]] const LinkFaults& link(std::size_t from, std::size_t to) const {
    return links_[from * hosts_ + to].faults;
  }
  void set_all(const LinkFaults& faults);
  /// Blocks both directions between hosts of different sides; opens all others.
  void partition(const std::vector<std::size_t>& side_of);
  void unblock_all();
  /// No faults, links open, as after construction.
  void heal();
  /// When the last packet that was under way when the faults ended has arrived.
  [[nodiscard]] Instant stragglers_until() const { return stragglers_until_; }

  /// Returns true to drop. Empty: none.
  void set_filter(Filter filter) { filter_ = std::move(filter); }
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  /// Keeps the last `packets` packets that went to each host, for replays.
  void remember(std::size_t packets) { remembered_max_ = packets; }
  /// Oldest first.
  [[nodiscard]] const std::deque<BufferRef>& remembered(std::size_t to) const {
    return remembered_[to];
  }
  [[nodiscard]] const NetworkCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t hosts() const { return hosts_; }

 private:
  struct Link {
    LinkFaults faults;
    bool in_burst{false};
    Instant last_ready;
    Instant sent_until;  ///< what waits behind a rate is out by then
  };
  struct Later {
    bool operator()(const Flight& a, const Flight& b) const {
      return a.ready != b.ready ? a.ready > b.ready : a.order > b.order;
    }
  };

  Fate fate_of(Link& link, std::size_t from, std::size_t to, std::span<const std::byte> bytes);
  void launch(Instant ready, std::size_t from, std::size_t to, const BufferRef& bytes);
  void depart(Instant ready, std::size_t from, std::size_t to, BufferRef bytes);
  Duration delay_of(const LinkFaults& faults);
  bool is_lost_by_type(const LinkFaults& faults, std::span<const std::byte> bytes);
  /// When the link is free for it; nothing: the queue before it is full.
  static std::optional<Instant> take_turn(Link& link, Instant now, std::size_t bytes);
  void corrupt(BufferRef& bytes);
  void remember(std::size_t to, const BufferRef& bytes);

  std::size_t hosts_;
  Random random_;
  std::vector<Link> links_;
  std::priority_queue<Flight, std::vector<Flight>, Later> flights_;
  std::uint64_t order_{0};
  Instant last_ready_;        ///< of all packets
  Instant stragglers_until_;  ///< of those sent before heal()
  Filter filter_;
  Tap tap_;
  std::size_t remembered_max_{0};
  std::vector<std::deque<BufferRef>> remembered_;
  NetworkCounts counts_;
};

}  // namespace ringcast::sim
