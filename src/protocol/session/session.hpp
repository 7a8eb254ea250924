// SPDX-License-Identifier: Apache-2.0
//
// Session: one client, as the daemon sees it. Cuts the byte stream into frames, does the
// handshake, checks every request, keeps the count of what the client has not read.
//
// Refuses to know what a group's members are or when things are ordered: it turns bytes into
// ClientRequests and events into frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringcast/result.hpp"
#include "ringcast/status.hpp"

#include "protocol/base/buffer.hpp"
#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/client_events.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/time.hpp"
#include "protocol/session/config.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {

class Session {
 public:
  Session(
      SessionId id, const SessionConfig& config, std::uint32_t message_bytes_max, Instant opened);

  /// Takes the client's next bytes. Then call next_request() until it yields nothing. Any of
  /// these calls makes the spans of requests yielded before invalid.
  void receive(std::span<const std::byte> bytes);
  /// The same without a copy: the bytes stay where they are until keep(), which copies those that
  /// no request has used up. Requests yielded meanwhile refer to them.
  void lend(std::span<const std::byte> bytes);
  void keep();

  /// The next whole request, nothing when more bytes are needed, or an error that ends the
  /// session (malformed, unsupported_version, limit_exceeded): close with its message. The
  /// first is a HelloRequest, and no other is. Joins and leaves agree with asked_for() and
  /// groups_per_session_max, else they come as a Refusal. After an error or a goodbye nothing
  /// more is yielded. [SES-3]
  Result<std::optional<ClientRequest>> next_request();
  /// next_request() would yield something now.
  [[nodiscard]] bool has_request() const;
  /// The next request is one that would wait for the token: a publish, join or leave.
  [[nodiscard]] bool orders_next() const;

  // Frames for the client; each returns one complete frame.
  static BufferRef encode_welcome(const WelcomeInfo& info);
  /// The daemon table again, after a reload changed it.
  static BufferRef encode_daemons(const DaemonTable& daemons);
  static BufferChain encode_event(ClientEvent event);
  static BufferRef encode_status(std::uint64_t request, const NodeStatus& status);
  static BufferRef encode_groups(std::uint64_t request, const GroupList& groups);
  static BufferRef encode_pong(std::uint64_t request);
  /// The request could not be carried out; the session goes on. `about` is a ticket, a request
  /// number or 0; `subject` a group name or empty.
  static BufferRef encode_refused(
      std::uint64_t about, std::string_view subject, const Error& error);
  static BufferRef encode_closed(const Error& reason);

  /// New limits, from the next request on.
  void reconfigure(const SessionConfig& config, std::uint32_t message_bytes_max) {
    config_ = config;
    message_bytes_max_ = message_bytes_max;
  }

  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] bool established() const { return !name_.empty(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  void establish(std::string name) { name_ = std::move(name); }

  // Backlog: bytes handed to the driver and not yet in the socket. [FLW-6]
  void queued(std::size_t count) { backlog_bytes_ += count; }
  void written(std::size_t count);
  [[nodiscard]] bool over_backlog() const { return backlog_bytes_ > config_.backlog_bytes_max; }
  [[nodiscard]] std::uint64_t backlog_bytes() const { return backlog_bytes_; }
  /// Bytes received that no request has used up yet.
  [[nodiscard]] std::uint64_t input_bytes() const {
    return input_.size() - consumed_ + lent_.size();
  }

  /// When a connection that has not said hello is closed; nothing once established.
  [[nodiscard]] std::optional<Instant> handshake_deadline() const;

  // Groups this session asked to be in, for refusing a second join or a leave without one.
  [[nodiscard]] bool asked_for(const std::string& group) const { return groups_.contains(group); }
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  void add_group(const std::string& group) { groups_.insert(group); }
  void remove_group(const std::string& group) { groups_.erase(group); }

 private:
  SessionId id_;
  SessionConfig config_;
  std::uint32_t message_bytes_max_;
  Instant opened_;
  std::string name_;
  std::set<std::string> groups_;
  std::uint64_t backlog_bytes_{0};

  void tidy_input();
  void make_room();
  void append(std::span<const std::byte> bytes);
  [[nodiscard]] std::span<const std::byte> complete_frame(std::span<const std::byte> bytes);
  [[nodiscard]] std::size_t wanted_bytes() const;
  [[nodiscard]] std::span<const std::byte> pending() const;
  void consume(std::size_t count);
  void skip_lent();
  [[nodiscard]] std::size_t frame_bytes_max() const;
  Result<ClientRequest> check(Result<ClientRequest> request);
  Result<std::optional<ClientRequest>> oversized(std::uint32_t length);
  Result<std::optional<ClientRequest>> fail(Error error);

  std::vector<std::byte> input_;  ///< bytes not yet yielded, from consumed_ on
  std::size_t consumed_{0};
  std::span<const std::byte> lent_;  ///< what follows; no frame lies in both
  std::size_t skip_bytes_{0};        ///< what is still to come of a frame that is not kept
  bool greeted_{false};
  bool ended_{false};
};

}  // namespace ringcast
