// SPDX-License-Identifier: Apache-2.0
//
// Client: one session with the local (or, over TCP, a remote) daemon.
//
// It owns a socket and a bounded inbox, starts no thread and installs no signal handler.
// Thread-safety: none inside one Client; use it from one thread at a time. Different
// Clients are independent. A Client that was moved from may be assigned to or destroyed.
//
// Every call that waits takes a deadline, but receive() and connect(), and goes on receiving
// into the inbox while it waits, so a client never chokes on its own messages; when the inbox
// is full the call returns inbox_full and the caller must receive() first. The try_ calls and
// join and leave never wait.
//
// A daemon on the same host is reached through memory that both share; the socket wakes.
//
// Event loops: watch fd() for readability always, and for writability while wants_write(), by level
// or by edge, and call try_receive() until it returns nothing. Events may already wait in the
// inbox after any other call: try has_event() before sleeping. With reconnect, call
// try_receive() at next_attempt() too, and ask for fd() anew after every call: each connection
// has a new descriptor, often of the same number (epoll: EPOLL_CTL_ADD after each call while
// next_attempt() has a value and after Reconnected; EEXIST means that it is watched).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ringcast/configuration.hpp"
#include "ringcast/message.hpp"
#include "ringcast/result.hpp"
#include "ringcast/status.hpp"
#include "ringcast/view.hpp"

namespace ringcast {

/// The session is over, or was interrupted and is being renewed.
struct Closed {
  std::string reason;
  bool reconnecting{false};  ///< a Reconnected event follows, or another Closed
};

/// A new session replaces a lost one; the groups were asked to be joined again, which a View or
/// Refused answers. What was delivered to the groups in between may have been missed. The
/// tickets listed had asked for a confirmation and got none: each of these messages was ordered
/// once or not at all.
struct Reconnected {
  MemberName name;  ///< another than before, unless ClientOptions has one
  std::vector<std::string> groups;
  std::vector<std::uint64_t> unconfirmed;
};

/// The daemon could not carry out a request; the session goes on. A refused join leaves the
/// group unjoined; a refused publish was not ordered and gets no Confirmation.
struct Refused {
  std::uint64_t ticket{0};  ///< of the publish, or 0
  std::string group;        ///< of the join or leave, or empty
  Error error;
};

using Event = std::variant<
    Message,
    View,
    Transitional,
    Left,
    Configuration,
    Confirmation,
    Reconnected,
    Closed,
    Refused>;

/// Times are 1 ms to a day.
struct ClientOptions {
  std::string socket;  ///< path of the daemon's unix socket; empty: default_socket()
  std::string server;  ///< "HOST:PORT" of a daemon's TCP listener; used when not empty
  std::string name;    ///< private name; empty: the daemon makes one up
  /// For connect() and for each later attempt, shared by the addresses of the host name.
  std::chrono::milliseconds connect_timeout{5000};
  /// A session that is lost is renewed, for as long as it takes, unless the daemon speaks
  /// another version or finds our name invalid. connect() itself is tried once.
  bool reconnect{false};
  /// The pause before an attempt to renew: it doubles from min to max, each shortened at random
  /// by up to a half, and starts anew after a session that lasted longer than max.
  std::chrono::milliseconds reconnect_delay_min{50};
  std::chrono::milliseconds reconnect_delay_max{5000};  ///< not less than min
  /// Beyond so much memory of events not yet received nothing is read; one event may exceed it.
  /// At least 1.
  std::size_t inbox_bytes_max{std::size_t{64} << 20U};
  /// Small messages are collected until so many bytes wait and then written by one system call;
  /// 0: each at once. They also leave with every call that waits or asks, and when a receive finds
  /// nothing that has arrived already; wants_write() is true until then. For programs that publish
  /// much and receive, or flush(), in between; what waits when a Client is destroyed without
  /// close() is lost. At most 512 KiB.
  std::size_t coalesce_bytes{0};
};

struct Publication {
  std::vector<std::string> groups;     ///< 1 to 64 group names or private groups
  std::span<const std::byte> payload;  ///< need not live longer than the call
  Service service{Service::agreed};
  std::int32_t type{0};
  bool echo{true};     ///< false: not delivered back to this session
  bool confirm{true};  ///< a Confirmation event follows
};

/// RINGCAST_SOCKET, else /run/ringcast/ringcast.sock for root, else $XDG_RUNTIME_DIR/ringcast.sock,
/// else /tmp/ringcast-UID/ringcast.sock.
std::string default_socket();

class Client {
 public:
  using Clock = std::chrono::steady_clock;
  using Deadline = Clock::time_point;

  /// Connects and shakes hands, within connect_timeout. A host name is looked up here,
  /// which takes as long as the resolver likes, and never again: each attempt to renew a lost
  /// session goes through the addresses found then, from the one that served last. Errors:
  /// unreachable (with the path and what to do), timed_out, io (no socket to be had), malformed
  /// (no ringcastd answers there), invalid_argument, and what the daemon refuses with:
  /// unsupported_version, name_in_use, limit_exceeded (sessions), closed (it is stopping, or
  /// hung up).
  static Result<Client> connect(ClientOptions options);

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Valid until the next call that is not const; may change with Reconnected.
  [[nodiscard]] const MemberName& name() const;
  /// Longest payload the daemon takes, in bytes; may change with Reconnected.
  [[nodiscard]] std::size_t message_bytes_max() const;

  /// Asks to join or leave; the outcome arrives as a View with cause join, as Left, or as
  /// Refused. While a lost session is being renewed both are remembered and take effect then;
  /// Left for these, and for a leave the lost session did not answer, comes just before
  /// Reconnected. A final Closed is the outcome of all that are open. Errors:
  /// invalid_argument, already_member, not_member, closed.
  Result<void> join(std::string_view group);
  Result<void> leave(std::string_view group);

  /// Hands a message to the daemon and returns its ticket, waiting for credit until the
  /// deadline. Errors: too_large, invalid_argument, timed_out (nothing was sent),
  /// inbox_full (nothing was sent), closed (it was ordered once or not at all).
  Result<std::uint64_t> publish(const Publication& publication, Deadline deadline);
  /// The same without waiting. Errors: as publish, with would_block (nothing was sent) in
  /// place of timed_out.
  Result<std::uint64_t> try_publish(const Publication& publication);

  /// Writes what coalesce_bytes holds back as far as the socket takes it, without waiting: for the
  /// end of a burst. Nothing to do is no error. Errors: closed.
  Result<void> write_coalesced();

  /// The next event: waits for ever, until the deadline (timed_out), or not at all (nothing).
  /// After a final Closed event every call that returns a Result fails, with closed unless its
  /// arguments are wrong.
  Result<Event> receive();
  Result<Event> receive_until(Deadline deadline);
  Result<std::optional<Event>> try_receive();
  /// The same without a copy, for programs that receive much and look at a message once: the next
  /// event, if there is one, goes to `on_message` as it lies in the memory of this Client, or to
  /// `on_other` if it is none. Neither may call anything of this Client that is not const. True:
  /// one of them was called, call again.
  Result<bool> try_receive(
      const std::function<void(const MessageView&)>& on_message,
      const std::function<void(Event)>& on_other);

  /// Publishes and waits for the confirmation, which then does not appear as an event.
  /// Errors as publish; after timed_out or inbox_full "waiting for the confirmation" the
  /// message was handed over and its confirmation arrives as an event; after closed its fate
  /// is unknown: it was ordered once or not at all.
  Result<Confirmation> publish_and_wait(const Publication& publication, Deadline deadline);

  // Questions. Errors: closed (also when the session is lost meanwhile), timed_out, inbox_full,
  // malformed (the daemon answered something else).

  /// Waits until everything handed over so far is with the daemon (not: confirmed).
  Result<void> flush(Deadline deadline);
  Result<NodeStatus> status(Deadline deadline);
  /// Groups known to the daemon with their members; empty `group`: all. Errors also:
  /// invalid_argument, limit_exceeded (more than one answer holds: ask for one group).
  Result<std::vector<GroupInfo>> groups(std::string_view group, Deadline deadline);

  /// -1 while there is no connection, nor one being made.
  [[nodiscard]] int fd() const;
  [[nodiscard]] bool wants_write() const;
  [[nodiscard]] bool has_event() const;
  /// While a lost session is being renewed: when to call try_receive() at the latest.
  [[nodiscard]] std::optional<Deadline> next_attempt() const;

  /// Says goodbye: leaves all groups as `leave`, then closes. Waits until the deadline at most
  /// for the daemon to take what was published; what is received meanwhile, and what is in the
  /// inbox, is dropped. Success means that it took everything (not: confirmed). After an error
  /// the session is over all the same, and the last messages may be lost: timed_out; closed (no
  /// session at the time, or it ended before the daemon answered). The destructor closes at
  /// once, which the groups see as `disconnect`.
  Result<void> close(Deadline deadline);

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast
