// SPDX-License-Identifier: Apache-2.0
//
// Ring: total order and membership among daemons. Totem's single ring with the accelerated
// change (the token leaves before the tail of the data).
//
// The states, each in a file of its own, and what moves between them:
//
//   starting     until the ring numbers we may use are reserved on stable storage
//   operational  the token rotates, messages are ordered           operational.cpp, other_rings.cpp
//   gather       who is alive? joins until all agree               gather.cpp
//   commit       the commit token collects what each brings        commit.cpp
//   recovery     old-ring messages are exchanged, then the install recovery.cpp
//   stopped      left cleanly
//
//   operational -> gather: token lost, a leave, a join, a foreign daemon, a member that cannot
//   receive, no packet numbers left. gather -> commit: consensus. commit -> recovery: the commit
//   token came twice. recovery -> operational: installed. commit, recovery -> gather: token lost or
//   a newer join.
//
// One input at a time: begin(), then any calls, then finish(). What must be sent goes to the
// Effects of begin() in wire order; what was ordered collects in take_ordered(). Two rings may
// be alive at once: `current_`, installed, whose configuration the application is in, and
// `forming_`, from commit until its install. Messages of `current_` survive failed attempts;
// what `forming_` carried does not. The essentials of recovery stand in docs/protocol.md,
// rules [REC-1] to [REC-9].
#pragma once

#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/ids.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/base/random.hpp"
#include "protocol/base/time.hpp"
#include "protocol/base/trace.hpp"
#include "protocol/effects.hpp"
#include "protocol/ring/config.hpp"
#include "protocol/ring/flow_control.hpp"
#include "protocol/ring/inspection.hpp"
#include "protocol/ring/packer.hpp"
#include "protocol/ring/peers.hpp"
#include "protocol/ring/phase.hpp"
#include "protocol/ring/reachability.hpp"
#include "protocol/ring/send_queue.hpp"
#include "protocol/ring/timers.hpp"
#include "protocol/ring/unpacker.hpp"
#include "protocol/ring/window.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

/// Numbers for status; each only grows.
struct RingCounters {
  std::uint64_t tokens_received{0};
  std::uint64_t tokens_retransmitted{0};
  std::uint64_t tokens_duplicate{0};
  std::uint64_t tokens_stale{0};
  std::uint64_t tokens_lost{0};
  std::uint64_t packets_originated{0};
  std::uint64_t packets_received{0};
  std::uint64_t packets_duplicate{0};
  std::uint64_t packets_outside{0};  ///< above the window: refused, to be asked for again
  std::uint64_t packets_foreign{0};
  std::uint64_t packets_requested{0};
  std::uint64_t packets_retransmitted{0};
  std::uint64_t messages_ordered{0};
  std::uint64_t configurations{0};
  std::uint64_t gathers{0};
  std::uint64_t recoveries_aborted{0};
  std::uint64_t messages_discarded{0};  ///< in a transitional configuration, behind a gap
  std::uint64_t fragments_stray{0};
};

/// One ring as this node takes part in it.
struct RingState {
  RingState(RingId id, std::vector<NodeKey> ring_members, NodeKey self, const RingConfig& config);

  [[nodiscard]] NodeKey successor() const { return members[(my_index + 1) % members.size()]; }
  [[nodiscard]] NodeKey predecessor() const {
    return members[(my_index + members.size() - 1) % members.size()];
  }
  [[nodiscard]] bool is_representative() const { return my_index == 0; }
  [[nodiscard]] bool is_member(const NodeKey& key) const;
  [[nodiscard]] bool has_node(NodeId node) const;
  /// The largest packet: alone nothing leaves, and no path bounds it. [WIR-7]
  [[nodiscard]] std::size_t packet_bytes() const {
    return others.empty() ? datagram_bytes_limit : datagram_bytes;
  }
  /// We sent it again at one of the last visits, in vain it seems.
  [[nodiscard]] bool is_others_turn(Seq requested) const;

  RingId ring;
  std::vector<NodeKey> members;  ///< ascending by node: the order of the token
  std::vector<NodeId> others;    ///< members without us
  std::size_t my_index{0};
  Window window;
  Seq delivered;
  Seq safe_line;  ///< every member has everything up to here

  std::uint64_t last_token_seq{0};  ///< of the last token accepted
  Seq sent_aru;                     ///< on the token we sent last
  Seq sent_seq;                     ///< on the token we sent last
  std::uint32_t datagram_bytes{0};  ///< largest datagram all members take
  FlowControl flow;
  std::deque<std::vector<SeqRange>> answered;  ///< requests, by visit, the last one first [ORD-5]

  std::uint32_t quiet_visits{0};       ///< representative: visits in a row with nothing to do
  Instant quiet_since{};               ///< ... the first of them
  bool idle_hint{false};               ///< the last token said that it will be held
  Seq stuck_aru;                       ///< fail-to-receive: aru that does not move ...
  std::optional<Instant> stuck_since;  ///< ... since then
};

class Ring {
 public:
  /// `configured`: ascending, `self` among them.
  Ring(const RingConfig& config, NodeId self, std::vector<NodeId> configured, TraceSink* trace);

  /// Opens an input; `effects` must outlive finish().
  void begin(Instant now, Effects& effects);
  /// Ends it: passes tokens to ourselves on a ring of one, wakes a sleeping ring.
  void finish();

  void start(const StoredState& stored, BootId boot, std::uint64_t seed);
  void set_path(std::uint32_t datagram_bytes, std::uint32_t receive_bytes);
  void on_persisted(const StoredState& stored);
  /// A batch; ordered so that data is seen before the token it belongs to. [ORD-6]
  void on_packets(std::span<Packet> packets);
  void on_timers();

  void submit_client(BufferRef&& message, Service service);
  void submit_exchange(BufferRef message);
  /// Client messages may be originated on this ring from now on. [GRP-5]
  void open_gate(const RingId& ring);
  /// Tells the others and stops.
  void leave();
  void reconfigure(const RingConfig& config, std::vector<NodeId> configured);

  /// Appends it to `events`, whose memory is used again.
  void take_ordered(std::vector<OrderedEvent>& events) {
    if (events.empty()) {
      events.swap(ordered_);
    } else {
      events.insert(
          events.end(),
          std::make_move_iterator(ordered_.begin()),
          std::make_move_iterator(ordered_.end()));
    }
    ordered_.clear();
  }

  [[nodiscard]] RingPhase phase() const { return phase_; }
  [[nodiscard]] NodeKey self() const { return self_; }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::uint64_t queued_bytes() const { return queue_.bytes(); }
  /// Nothing waits to be sent, and all members hold what was.
  [[nodiscard]] bool is_drained() const;
  [[nodiscard]] RingId ring() const { return current_ ? current_->ring : RingId{}; }
  [[nodiscard]] const RingCounters& counters() const { return counters_; }
  /// For checkers. (inspect.cpp)
  [[nodiscard]] Inspection inspect() const;
  [[nodiscard]] bool holds(const RingId& ring, Seq seq) const;

 private:
  // Shared by all states (ring.cpp).
  void enter(RingPhase phase, std::string_view reason);
  void send(const std::vector<NodeId>& peers, BufferRef packet, bool to_many);
  void send_to_members(const RingState& ring, const BufferRef& packet);
  void send_token(RingState& ring, const Token& token);
  void send_commit(const CommitToken& commit);
  void remember_sent(NodeKey to, BufferRef packet, bool idle);
  void retransmit_token();
  void evidence_of_progress() { timers_.disarm(Timer::token_retransmit); }
  bool reserve(std::uint64_t ring_seq);
  /// A number so far above ours comes from a broken peer; reserving it would be for ever.
  [[nodiscard]] bool is_plausible(std::uint64_t ring_seq) const;
  void dispatch(Packet& packet);
  /// A join or probe came from this run; false: drop it.
  bool hear(const NodeKey& sender);
  void note_at_work(const RingState& ring);
  /// What our path carries, within the configured bounds as they are now.
  [[nodiscard]] std::uint32_t own_datagram_bytes() const;
  void on_data(const PacketHeader& header, Data& data);
  void on_token(const PacketHeader& header, Token token);
  void pump_self();
  [[nodiscard]] bool gate_open() const { return current_ && gate_ring_ == current_->ring; }
  template <class Text>
  void trace(TraceKind kind, TraceLevel level, Seq seq, Text text, std::uint64_t count = 0) const;

  // operational.cpp
  void install_first();
  void visit(Token token, bool may_hold);
  void request_missing(const RingState& ring, Token& token);
  std::uint64_t answer_requests(RingState& ring, Token& token);
  std::uint64_t answer_request(
      RingState& ring, const SeqRange& range, std::uint64_t budget, std::vector<SeqRange>& open);
  [[nodiscard]] Duration slow_rotation() const;
  void originate(RingState& ring, Token& token, std::uint64_t requested);
  void note_held_back(const RingState& ring, Seq seq, bool is_share_used) const;
  void transmit_visit(RingState& ring, const Token& token, bool hold);
  void advance_safe_line(RingState& ring, const Token& token);
  bool note_quiet(RingState& ring, Token& token, bool may_hold, Seq received_seq);
  void watch_stuck_member(RingState& ring, const Token& token);
  void deliver_ready();
  void release_held(bool wake);
  void wake_ring();
  void on_wakeup(const PacketHeader& header, const Wakeup& wakeup);
  void on_probe(const PacketHeader& header, const Probe& probe);
  void answer_probe(const NodeKey& sender);
  void send_probes();
  [[nodiscard]] Probe probe_for(NodeId node) const;
  void on_probe_operational(const NodeKey& sender, const Probe& probe, bool hears_us);
  bool is_worth_merging(const NodeKey& sender, const Probe& probe);
  [[nodiscard]] bool hears_all_of_us(const NodeKey& sender, const Probe& probe);
  [[nodiscard]] bool are_linked(const Probe& probe, const std::vector<NodeKey>& ours) const;
  [[nodiscard]] Duration probe_pause() const;
  [[nodiscard]] Duration merge_patience() const;
  void wake_for_merge();
  [[nodiscard]] bool may_follow(const NodeKey& sender, const Join& join) const;
  void on_join_operational(const NodeKey& sender, const Join& join);

  // gather.cpp
  void enter_gather(std::string_view reason, std::set<NodeKey> proc, std::set<NodeKey> fail);
  void on_join(const PacketHeader& header, const Join& join);
  void on_join_gather(const NodeKey& sender, const Join& join);
  void merge_join(const NodeKey& sender, const Join& join);
  void take_consent(const NodeKey& sender, const Join& join);
  void take_in(const Probe& probe);
  [[nodiscard]] bool knows_all_of(const Join& join) const;
  [[nodiscard]] bool rather_loses(const NodeKey& sender, const Join& join) const;
  [[nodiscard]] std::vector<NodeKey> best_members() const;
  [[nodiscard]] std::optional<NodeKey> never_reached(const std::vector<NodeKey>& members) const;
  [[nodiscard]] bool hears_all(const std::vector<NodeKey>& members) const;
  [[nodiscard]] std::optional<std::vector<NodeKey>> reached_members(const Probe& probe) const;
  void sets_changed();
  void send_join();
  void check_consensus();
  void on_consensus_timer();
  void resume_alone();
  [[nodiscard]] std::vector<NodeKey> candidates() const;
  [[nodiscard]] std::set<NodeKey> current_members() const;
  [[nodiscard]] Instant joined_since() const;
  [[nodiscard]] Instant probed_since() const;

  // commit.cpp
  void create_commit(const std::vector<NodeKey>& members);
  void on_commit(const PacketHeader& header, CommitToken commit);
  void commit_first_visit(CommitToken& commit);
  void commit_second_visit(CommitToken& commit);
  void fill_entry(CommitToken& commit) const;
  void forward_commit(CommitToken& commit);
  void abort_forming(std::string_view reason);

  // recovery.cpp
  void enter_recovery(const CommitToken& commit);
  void plan_exchange(const CommitToken& commit);
  void start_token();
  void visit_recovery(Token token);
  std::optional<std::uint64_t> originate_recovered(
      RingState& ring, Token& token, std::uint64_t allowance);
  void note_flag(Token& token);
  void on_recovered(const Data& data);
  void install();
  void deliver_old_regular(Seq high_known);
  void deliver_old_transitional();
  void note_step(Seq seq, const char* what) const;
  void note_left_out();

  RingConfig config_;
  NodeKey self_;
  std::vector<NodeId> configured_;
  TraceSink* trace_;
  Random random_{0};
  std::uint32_t path_datagram_bytes_{1472};
  std::uint32_t path_receive_bytes_{212992};

  Instant now_{};
  Effects* effects_{nullptr};

  RingPhase phase_{RingPhase::starting};
  TimerTable timers_;
  RingCounters counters_;
  PeerTable peers_;
  Reachability reach_;
  std::set<NodeId> left_outside_;            ///< told once: heard, but not by all of us
  std::map<NodeKey, Instant> linked_since_;  ///< with all of us, when not all of its ring were
  SendQueue queue_;
  std::vector<Data> originated_;  // in this visit
  PackedEntries packed_;          // of the packet last made: its memory for the next
  BufferRow packet_memory_;       // of those we originate
  Unpacker unpacker_;
  RingId gate_ring_;
  std::vector<OrderedEvent> ordered_;

  std::optional<RingState> current_;
  std::optional<RingState> forming_;

  // Ring numbers. [MBR-3]
  std::uint64_t reserved_{0};   ///< durable: numbers up to this may be used
  std::uint64_t asked_{0};      ///< requested from the driver
  std::uint64_t ring_seq_{0};   ///< newest ring we took part in forming
  std::uint64_t heard_seq_{0};  ///< newest ring anybody told of

  // The token we sent last, kept to send again.
  BufferRef sent_packet_;
  NodeKey sent_to_;
  Duration resend_after_{};
  Instant lossy_until_{};  ///< idle tokens get lost on the way: copies do not wait for the hold
  Duration rotation_{std::chrono::milliseconds{1}};  ///< smoothed time of a busy rotation
  Duration last_rotation_{};                         ///< zero after a pause
  Duration fastest_rotation_{};                      ///< of this ring: what its path takes
  std::optional<Instant> last_visit_;
  std::optional<Token> held_;
  std::optional<Token> self_token_;
  std::optional<CommitToken> self_commit_;
  std::uint32_t wakeups_sent_{0};
  bool sent_idle_{false};
  bool has_arrived_{false};  ///< data of the current ring, since something was delivered last

  // gather
  std::set<NodeKey> proc_;
  std::set<NodeKey> fail_;
  std::set<NodeKey> consensus_;
  bool waiting_for_commit_{false};
  bool told_complete_{false};  ///< our last join said that we hear all candidates

  /// Commit tokens we sent round the same members in vain.
  struct Attempts {
    std::vector<NodeKey> members;
    std::uint64_t first_ring_seq{0};
    unsigned count{0};
  };
  Attempts attempts_;

  // commit and recovery
  CommitToken commit_;  ///< as last accepted
  std::deque<Seq> recovery_queue_;
  std::set<Seq> recovered_seen_;      ///< sent again by somebody in this attempt
  std::set<NodeKey> transitional_;    ///< members of the coming transitional configuration
  std::set<NodeId> obligation_plan_;  ///< what we owe once everything is received
  bool my_flag_{false};
  std::uint32_t flag_clear_visits_{0};
  std::optional<Seq> install_seq_;
  bool token_started_{false};

  // What outlives a failed recovery. [REC-6]
  bool frozen_{false};    ///< old-ring packets come only through recovery now
  RingId received_ring_;  ///< the attempt in which we received everything; seq 0: none
  std::set<NodeId> obligation_;
  Seq known_delivered_;  ///< highest old-ring packet known to be delivered by anybody
};

template <class Text>
void Ring::trace(TraceKind kind, TraceLevel level, Seq seq, Text text, std::uint64_t count) const {
  if (trace_ == nullptr || !trace_->listens(kind, level)) return;
  const RingId ring = forming_ ? forming_->ring : this->ring();
  trace_->trace(TraceEvent{kind, level, ring, seq, count, std::string(text())});
}

}  // namespace ringcast
