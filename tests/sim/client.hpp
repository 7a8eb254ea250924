// SPDX-License-Identifier: Apache-2.0
//
// SimClient: one session of a simulated client. Speaks session frames over a simulated socket,
// writes down in the history what it asks and what it is told. When to ask what is decided by
// the workload or a script; this only keeps the socket full and the reading honest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/session/frames.hpp"
#include "sim/cluster.hpp"
#include "sim/history.hpp"

namespace ringcast::sim {

struct PublishOptions {
  std::vector<std::string> groups;
  Service service{Service::agreed};
  bool echo{true};
  bool confirm{true};
  std::size_t size{0};  ///< of a generated payload
  std::string text;     ///< the payload itself, when not empty
};

/// What a client may ask of its daemon, which answers at once.
enum class Question : std::uint8_t { status, groups, ping };

class SimClient final : public ClientEnd {
 public:
  /// Told of every frame from the daemon, after it is in the history.
  using Listener = std::function<void(SimClient& client, const ServerFrame& frame)>;

  SimClient(
      Cluster& cluster,
      History& history,
      std::size_t host,
      std::optional<ProcessIndex> process,
      std::uint64_t tickets_before = 0);

  void hello(std::string_view name);
  void join(const std::string& group);
  void leave(const std::string& group);
  void publish(const PublishOptions& options);
  /// That share of the bytes of a publish, and never all of them.
  void publish_part(const PublishOptions& options, double share);
  /// `group`: of groups, the one to tell of; empty: all.
  void ask(Question what, const std::string& group = {});
  void goodbye();
  /// Drops the connection, possibly in the middle of a frame.
  void hang_up();
  /// Bytes as they are: for hostile clients.
  void send_raw(std::span<const std::byte> bytes);
  void stop_reading() { reading_ = false; }
  void start_reading();

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  [[nodiscard]] bool is_open() const { return record().end == SessionEnd::open; }
  [[nodiscard]] bool is_welcome() const { return !record().name.empty(); }
  [[nodiscard]] bool is_reading() const { return reading_; }
  [[nodiscard]] std::uint64_t id() const { return client_; }
  [[nodiscard]] const SessionRecord& record() const { return history_.session(client_); }
  [[nodiscard]] const std::string& name() const { return record().name; }
  [[nodiscard]] std::size_t host() const { return host_; }
  [[nodiscard]] const WelcomeInfo& welcome() const { return welcome_; }
  /// Asked to join and not told that it left.
  [[nodiscard]] const std::set<std::string>& groups() const { return groups_; }
  [[nodiscard]] std::size_t unconfirmed() const { return unconfirmed_.size(); }
  [[nodiscard]] std::size_t unsent_bytes() const { return output_.size() - taken_; }
  /// Nothing is asked that was not answered, nothing written that was not read.
  [[nodiscard]] bool is_quiet() const;

  void on_readable() override;
  void on_hung_up(bool cut_off) override;

 private:
  SessionRecord& record() { return history_.session(client_); }
  void write(const ByteWriter& frame);
  void flush();
  void take_input(std::vector<std::byte> bytes);
  void take_frames();
  void take(const ServerFrame& frame);
  void take_answer(Question what, std::uint64_t number, bool makes_sense);
  void end(SessionEnd how, std::string reason);

  Cluster& cluster_;
  History& history_;
  std::size_t host_;
  std::uint64_t client_;
  ConnectionId connection_;
  Listener listener_;
  bool reading_{true};
  bool said_goodbye_{false};
  std::uint64_t ticket_{0};
  std::uint32_t number_{0};
  std::vector<std::byte> output_;  ///< what is written; the socket took `taken_` of it
  std::size_t taken_{0};
  bool retry_armed_{false};
  std::vector<std::byte> input_;
  WelcomeInfo welcome_;
  std::set<std::string> groups_;
  std::set<std::string> asked_;  ///< joins and leaves that were not answered
  std::set<std::uint64_t> unconfirmed_;
  struct Asked {
    Question what{Question::ping};
    std::uint64_t number{0};
    std::string group;
  };
  std::deque<Asked> questions_;  ///< not answered yet
};

}  // namespace ringcast::sim
