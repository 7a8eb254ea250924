// SPDX-License-Identifier: Apache-2.0
//
// Wire: judges every datagram as it leaves its sender, before the network has done anything to
// it, with the protocol's own decoder:
//
// P1 one node acts on a token, once: nobody else sends a token of that number, and what is sent
//    again is the same.
// P2 seq never decreases from token to token; aru moves down only to what its sender has, who
//    then stands on the token, and up only by whoever lowered it or when nobody had.
// P5 what a visit asks for is missing there, above the safe line, and was on the token of the
//    visit before; nothing that is asked for is beyond seq.
// P6 the token's fcc is what was sent in a rotation; a visit originates no more than its share,
//    and not beyond half of the window of packets.
// P9 no ring number leaves a daemon above what it has on its disk.
// P12 no run of a daemon uses a header counter for two datagrams.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "protocol/wire/codec.hpp"
#include "sim/oracle/memories.hpp"

namespace ringcast::sim {

class Wire {
 public:
  /// Whether a run of a daemon has a packet now.
  using Holds = std::function<bool(const NodeKey& run, const RingId& ring, Seq seq)>;

  /// `history` gives names only; `memories` is what every node looked like after its last input.
  Wire(const History& history, const Memories& memories, Holds holds, Report& report)
      : history_(history), memories_(memories), holds_(std::move(holds)), report_(report) {}

  /// `stored`: the ring numbers its sender may use, as they stand on its disk.
  void sent(std::uint64_t stored, const BufferRef& datagram);
  /// A daemon starts with what it stored.
  void started(NodeId node, std::uint64_t stored, Storage storage);
  /// Nothing yet: it sent no token of that ring.
  [[nodiscard]] std::optional<std::uint64_t> last_token_of(
      const NodeKey& sender, const RingId& ring) const;

 private:
  /// What one member sent on one ring.
  struct Sender {
    std::optional<Token> token;   ///< its last one
    std::uint64_t token_hash{0};  ///< of its bytes
    Seq originated;               ///< highest packet it gave a number
    // Cost of packets since its last token ...
    std::uint64_t new_before{0};    ///< ... that count for the next one
    std::uint64_t again_before{0};  ///< ... sent again
    // Its last visit, judged when the next one shows that it is over.
    std::uint64_t visit_new{0};
    std::uint64_t visit_again{0};
    std::uint64_t visit_fcc_in{0};
    std::uint64_t visit_sent_before{0};  ///< cost of the visit before that
    std::uint64_t visit_window{0};
    std::uint64_t packet_cost_max{0};
  };
  struct Ring {
    std::optional<Token> token;  ///< the newest
    NodeKey token_sender;
    bool is_partial{false};  ///< we did not see it from its start
    std::map<NodeKey, Sender> senders;
  };
  struct Run {
    std::uint64_t counter{0};
    std::array<std::byte, tag_bytes> tag{};
  };

  Ring& ring_of(const RingId& ring);
  bool is_new(const NodeKey& sender, std::uint64_t counter, std::span<const std::byte> datagram);
  void on_number(std::uint64_t value, std::uint64_t stored);
  void on_data(const Data& data, std::size_t size);
  void on_token(const Token& token, std::span<const std::byte> datagram);
  void check_repeated(const Sender& sender, const Token& token, std::uint64_t hash);
  void check_order(const Ring& ring, const Token& in, const Token& out);
  void check_requests(const Sender& sender, const Token& in, const Token& out);
  void check_range(const SeqRange& range, const Token& in, Seq bound);
  void check_last_visit(const Sender& sender, const RingId& ring);
  void check_room(const Token& in, const Token& out);
  void fail(const std::string& invariant, const std::string& what);

  const History& history_;
  const Memories& memories_;
  Holds holds_;
  Report& report_;
  NodeKey sender_;  ///< of the datagram under way
  std::map<RingId, Ring> rings_;
  std::map<NodeKey, Run> runs_;
  std::map<NodeId, std::uint64_t> exposed_;  ///< highest ring number shown, while storage is kept
};

}  // namespace ringcast::sim
