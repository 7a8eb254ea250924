// SPDX-License-Identifier: Apache-2.0
//
// Scribe: a whole writer without its session. Events of the order go in, messages to publish
// come out; in between are the Reconciler's decisions, the Store's files, the catch-up with
// other writers, the answers to those who catch up with us, and the offers of pending files.
// One thread; told the time; knows no socket, so that a test can run several under one order.
//
// A session begins with catching up: while a writer is there that has far more than we have,
// nothing is joined and nothing held. What is left is fetched while we are a member.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/ringlog-write/catch_up.hpp"
#include "tools/ringlog-write/history_server.hpp"
#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/store.hpp"

namespace ringcast::ringlog {

/// A message to publish.
struct Outgoing {
  std::string to;
  std::int32_t type{0};
  Service service{Service::safe};
  std::vector<std::byte> payload;
  std::string also_to{};  ///< a second group that gets it, unless empty
};

class Scribe {
 public:
  using Instant = Store::Instant;

  explicit Scribe(StoreOptions options);

  /// Takes the file and its pending files. Errors: as Store::open.
  Result<void> open(Instant now);

  /// A session began; `writers` are the members of the writers' group.
  void on_session(
      const MemberName& self,
      std::size_t message_bytes_max,
      const std::set<std::string>& writers,
      Instant now);
  void on_event(Event event, Instant now);
  void on_session_end();
  /// What is due: writing, fetching, answering, offering. To be called after events, and when
  /// next_step() has come.
  void step(Instant now);
  [[nodiscard]] std::optional<Instant> next_step() const;
  /// Why this session is to end and another one to begin, or nothing.
  [[nodiscard]] std::optional<std::string> restart_reason() const;

  /// To be taken from the front as they are published.
  std::deque<Outgoing>& outgoing() { return outgoing_; }
  [[nodiscard]] bool has_outgoing() const { return !outgoing_.empty(); }
  /// Caught up far enough to join the log's group; and then the writers' group.
  [[nodiscard]] bool may_join() const { return has_session_ && !is_ahead_; }
  [[nodiscard]] bool may_join_writers() const { return may_join() && reconciler_->in_group(); }

  [[nodiscard]] const Reconciler& reconciler() const { return *reconciler_; }
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] const Store& store() const { return store_; }
  /// What was applied of each publisher since this was asked last.
  std::map<MemberName, SenderProgress> take_progress() { return std::exchange(progress_, {}); }

 private:
  bool take_private(const Event& event, Instant now);
  void on_reply(const std::string& sender, const HistoryReply& reply, Instant now);
  void cut(const FilePoint& point, Instant now);
  void add_segments();
  void go_on_behind(const FileFront& front, Instant now);
  void collect();
  void follow_target();
  void fetch(Instant now);
  void end_ahead(const std::string& why);
  void answer();
  void send_promise(const std::string& asker, std::uint64_t request);
  void send_front(const std::string& asker, std::uint64_t request);
  void offer(Instant now);
  void offer_next();
  void drop_covered(Instant now);
  void look_at_waiting(Instant now);
  void look_at_doubts(Instant now);
  [[nodiscard]] std::size_t outgoing_bytes() const;

  StoreOptions options_;
  Store store_;
  std::optional<Reconciler> reconciler_;
  CatchUp catch_up_;
  HistoryServer server_;
  std::deque<Outgoing> outgoing_;
  std::map<MemberName, SenderProgress> progress_;

  bool has_session_{false};
  bool is_ahead_{false};  // catching up before joining anything
  std::size_t message_bytes_max_{0};
  std::optional<FilePoint> followed_;  // the target that is being fetched
  std::string followed_point_;

  struct Offering {
    ConfigurationId configuration;
    Segment segment;
    std::optional<OfferedRecord> next;  // read, and not yet sent
    bool has_sent{false};
    std::optional<Instant> again_at;  // all was sent; waits to be covered
  };
  std::unique_ptr<Offering> offering_;
  std::optional<Instant> next_look_;  // for covered segments

  std::string waiting_point_;
  std::optional<Instant> waiting_since_;
  Instant told_waiting_{};
  std::optional<Instant> unsure_since_;
  std::string unsure_point_;  // the last at which we asked to go on
  std::uint64_t fetched_before_{0};
};

}  // namespace ringcast::ringlog
