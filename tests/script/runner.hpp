// SPDX-License-Identifier: Apache-2.0
//
// Runner: carries out the commands of a script on a simulated cluster of real Nodes and writes
// the transcript. One function per command. The language:
//
//   option NAME=VALUE ...          before `ring`: token_loss, consensus, token_hold,
//                                  token_rest_after, probe, fail_to_receive, backoff_max, delay (of
//                                  every link), persist (of every write to disk),
//                                  message_bytes_max, datagram, backlog, window, receive_buffer,
//                                  accelerated_percent.
//                                  token_rest_after is 0 unless it is set: most stories are about
//                                  an idle ring; accelerated_percent is 50, so that stories have
//                                  data on both sides of the token
//   ring a b c                     starts these daemons, waits until they form one ring; n01..n99
//                                  are 99 names
//   daemons a b c                  only names them; `start` starts them
//   start a [kept|lost|torn] [number=N]
//                                  also `restart`: what it finds of what it had stored; or that
//                                  number, whatever it had stored; `start *`: all that are down
//   crash a [after N]              at once, or in its next output after N more datagrams
//   pause a / resume a             its inputs wait and come at once
//   leave a                        clean leave of a daemon
//   configure a b,c                from now on its configuration names these daemons and no other
//   client x@a                     a client named x connects to a and says hello
//   group g x@a y@b                the same of several, all join g, 300 ms pass; written as one
//   line join x g / leave x g           (leave with two words: a client leaves a group) publish x
//   SERVICE g[,h] "text" or size=N instead of the text; then any of: noecho,
//                                  noconfirm, times=N
//   goodbye x / hangup x           with or without a word
//   stall x / read x               stops and starts reading
//   garbage x BYTES                sends that many bytes of nonsense
//   run 40ms                       virtual time passes
//   settle                         until nothing has been written for two seconds
//   status a                       state, configuration and the counters named after it
//   trace on KIND ... / trace off KIND ...
//                                  trace kinds (trace.hpp), or KIND:PART, those with that part in
//                                  their text; or: deliver, confirm, view, message, drop,
//                                  regular, transitional
//
// The network. PACKETS is `a->b KIND [of=c] [seq=N] [longer=BYTES] [skip=N] [spare=N] [count=N]`;
// `*` is any daemon. KIND: token data recovered join leave commit probe wakeup any; `of` the
// originator and `seq` the number of data (of what it carries, when recovered) or of a token;
// `skip` the first N, `spare` each N-th.
//
//   cut a,b | c                    no packet passes between the sides; cut a->b: one direction
//   heal                           opens all links, forgets all that follows
//   drop PACKETS                   they are lost
//   delay PACKETS by=40ms          they come that much later; others overtake them
//   copy PACKETS by=2s             they come once more, that much later
//   watch PACKETS                  the transcript says that they are sent, and what they say
//   keep PACKETS as=NAME           the next of them is kept (and passes); count=N: the last of N
//   replay NAME [to=b] [sender=zz] [boot=N] [cluster=other] [bytes=N] [flip=BIT]
//                                  what was kept comes again: as it was, or sealed anew as from
//                                  that sender, run or cluster; cut to so many bytes; a bit flipped
//
// Events.
//
//   when a KIND "part" [skip=N] then COMMAND
//                                  once, when a's trace of that kind contains the part: the
//                                  command, after what a sends because of it. Also of the kinds
//                                  regular and transitional: an install
//   when a KIND "part" [skip=N] first COMMAND
//                                  the same before that; only for the network, and crash a after N
//   when PACKETS then COMMAND      once, when such a packet is sent
//
// A transcript line is `t=+12ms  a,b  what happened`: time since the paragraph began, who, what.
// Equal lines of one millisecond are merged. Boot ids are left out: ring "2.a" is the ring with
// number 2 of representative a. Of more than sixteen daemons only the number is given.
//
// RINGCAST_REWRITE=1 writes the transcripts that were produced into the files instead of
// comparing. Commit only a difference that is understood.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "script/script.hpp"
#include "sim/client.hpp"
#include "sim/cluster.hpp"
#include "sim/network.hpp"
#include "sim/recorder.hpp"

namespace ringcast::script {

class Runner {
 public:
  Runner();
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  Runner(Runner&&) = delete;
  Runner& operator=(Runner&&) = delete;

  /// Carries out one paragraph and returns its transcript. A command that makes no sense
  /// becomes a line that says so.
  std::vector<std::string> run(const Paragraph& paragraph);
  /// Violations found by the checkers in all that happened, one line each.
  std::vector<std::string> judge();

 private:
  using Words = std::vector<std::string>;
  struct Line {
    std::int64_t millisecond{0};
    std::set<std::string> who;
    std::string what;
  };
  /// Which packets a command means.
  struct Pattern {
    std::optional<std::size_t> from;  ///< none: any
    std::optional<std::size_t> to;
    std::string kind;
    std::optional<NodeId> originator;
    std::optional<std::uint64_t> seq;
    std::size_t longer{0};
    std::uint64_t skip{0};
    std::uint64_t spare{0};
    std::uint64_t seen{0};
    std::uint64_t count{0};
  };
  /// What becomes of them.
  struct Treatment {
    Pattern pattern;
    std::string verb;  ///< the command's word: drop, delay, copy, watch, keep, when
    Duration by{};
    std::string name;  ///< of what is kept
    Words then;
  };
  struct Trigger {
    std::size_t host{0};
    std::string kind;
    std::string part;
    std::uint64_t skip{0};
    bool first{false};
    Words then;
    bool done{false};
  };
  struct Kept {
    std::size_t from{0};
    std::size_t to{0};
    BufferRef bytes;
  };

  void option(const Words& words);
  void ring(const Words& words);
  void daemons(const Words& words);
  void start(const Words& words);
  void crash(const Words& words);
  void pause(const Words& words);
  void resume(const Words& words);
  void leave(const Words& words);
  void client(const Words& words);
  void group(const Words& words);
  void join(const Words& words);
  void publish(const Words& words);
  void goodbye(const Words& words);
  void hangup(const Words& words);
  void stall(const Words& words);
  void read(const Words& words);
  void garbage(const Words& words);
  void cut(const Words& words);
  void heal(const Words& words);
  void treat(const Words& words);
  void replay(const Words& words);
  void when(const Words& words);
  void configure(const Words& words);
  void run_for(const Words& words);
  void settle(const Words& words);
  void status(const Words& words);
  void trace(const Words& words);

  /// One command, of a paragraph or of an event.
  void carry_out(const Words& words);
  void carry_out_later(const Words& words);
  void say(const std::string& who, const std::string& what);
  void complain(const std::string& what);
  [[nodiscard]] std::vector<std::string> transcript() const;
  /// Nothing, with a complaint, when there is no such daemon or client.
  std::optional<std::size_t> host(const std::string& name);
  sim::SimClient* find_client(const std::string& label);
  void run_until(Instant limit);
  bool is_one_ring() const;

  [[nodiscard]] bool is_wanted(const std::string& kind) const;
  [[nodiscard]] bool is_shown(const std::string& kind, const std::string& text) const;
  void on_trace(std::size_t host, const TraceEvent& event);
  void on_ordered(std::size_t host, const OrderedEvent& event);
  void on_frame(const std::string& label, const ServerFrame& frame);
  void on_event(std::size_t host, const std::string& kind, const std::string& text);
  std::optional<Pattern> pattern(const Words& words);
  static bool matches(
      const Pattern& pattern, std::size_t from, std::size_t to, std::span<const std::byte> bytes);
  /// True when the packet must not go on.
  bool filter(std::size_t from, std::size_t to, std::span<const std::byte> bytes);
  [[nodiscard]] std::string describe(std::span<const std::byte> bytes) const;
  bool apply(
      Treatment& treatment, std::size_t from, std::size_t to, std::span<const std::byte> bytes);
  [[nodiscard]] std::string plain(std::string text) const;
  [[nodiscard]] std::string show(const RingId& ring) const;
  [[nodiscard]] std::string show(const ViewId& id) const;
  [[nodiscard]] std::string show(const std::vector<Member>& members) const;
  [[nodiscard]] std::string show_message(const MessageFrame& frame) const;

  std::map<std::string, void (Runner::*)(const Words&)> commands_;
  sim::ClusterConfig config_;
  Duration delay_{std::chrono::microseconds{100}};
  std::unique_ptr<sim::Network> network_;
  std::unique_ptr<sim::Recorder> recorder_;
  std::unique_ptr<sim::Cluster> cluster_;
  std::map<std::string, std::unique_ptr<sim::SimClient>> clients_;
  std::vector<std::unique_ptr<sim::SimClient>> gone_;
  std::vector<Treatment> treatments_;
  std::vector<Trigger> triggers_;
  std::map<std::string, Kept> kept_;
  std::set<std::string> shown_;
  std::vector<Line> lines_;
  Instant began_;
  Instant last_line_;
  bool quiet_{false};
};

}  // namespace ringcast::script
