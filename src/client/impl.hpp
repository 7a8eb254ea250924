// SPDX-License-Identifier: Apache-2.0
//
// Client::Impl: one session's life. A small state machine (connecting, greeting, ready,
// paused between attempts, over) that advance() moves as far as it goes without waiting;
// every blocking call is a loop of advance() and poll.
//
// impl.cpp has that life; client.cpp what programs ask for on top of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ringcast/client.hpp"

#include "client/attempt.hpp"
#include "client/connection.hpp"
#include "client/daemon_names.hpp"
#include "client/inbox.hpp"
#include "client/outstanding.hpp"
#include "protocol/base/bytes.hpp"

namespace ringcast {

class Client::Impl {
 public:
  explicit Impl(ClientOptions options);

  enum class State : std::uint8_t { connecting, greeting, ready, paused, over };
  using Reply = std::variant<PongFrame, NodeStatus, GroupsFrame, Confirmation>;

  Result<void> connect();
  /// Reads, writes and reconnects as far as that goes without waiting. `first`: stops at the first
  /// event, which goes there if it is a message and to the inbox if not; the others wait as the
  /// frames they came in. So a message is made where the program takes it, while the memory of the
  /// one before is still in the cache.
  void advance(std::optional<Event>* first = nullptr);
  /// Sleeps until the socket is ready, something is due, or `until`.
  void wait(Deadline until, bool to_write = false);
  /// Advances and waits until `done()`. Errors: closed, inbox_full, timed_out `waiting_for`.
  template <class Done>
  Result<void> wait_for(Done done, Deadline deadline, std::string_view waiting_for);

  Result<void> ask_membership(std::string_view group, bool join);
  /// `awaited`: its confirmation goes to awaited_ and not to the inbox.
  Result<std::uint64_t> publish(
      const Publication& publication, const std::optional<Deadline>& deadline, bool awaited);
  Result<void> write_coalesced();
  Result<Confirmation> publish_and_wait(const Publication& publication, Deadline deadline);
  Result<std::optional<Event>> next_event(const std::optional<Deadline>& deadline);
  using OnMessage = std::function<void(const MessageView&)>;
  Result<bool> show_event(const OnMessage& on_message, const std::function<void(Event)>& on_other);
  /// Sends a request made by `encode(writer, number)` and waits for its reply.
  template <class T, class Encode>
  Result<T> ask(Encode encode, Deadline deadline, std::string_view waiting_for);
  Result<void> close(Deadline deadline);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] int fd() const { return connection_.fd(); }
  [[nodiscard]] bool wants_write() const {
    return state_ == State::connecting || connection_.waits_to_write();
  }
  /// Frames that wait may turn out to be none.
  [[nodiscard]] bool has_event() { return !inbox_.empty() || connection_.has_frame(); }
  [[nodiscard]] const MemberName& name() const { return name_; }
  [[nodiscard]] const DaemonNames& daemons() const { return daemons_; }
  [[nodiscard]] std::size_t message_bytes_max() const { return message_bytes_max_; }
  [[nodiscard]] Deadline due() const { return due_; }

 private:
  /// The one call that waits for an answer of the daemon.
  struct Awaited {
    std::uint64_t number{0};
    std::optional<Result<Reply>> reply;
  };

  /// The answer to `awaited_`, which then is no more.
  template <class T>
  Result<T> answer(Deadline deadline, std::string_view waiting_for);

  // impl.cpp: the life of the session.
  void begin_attempt();
  void try_address();
  void opened(const Result<Connection::Opening>& opening);
  void greet();
  void exchange(std::optional<Event>* first = nullptr);
  void read_frames(std::optional<Event>* first = nullptr);
  bool handle_buffered(std::optional<Event>* first = nullptr);
  bool take_message(std::span<const std::byte> bytes, std::optional<Event>& event);
  [[nodiscard]] bool has_enough(const std::optional<Event>* first) const {
    return inbox_.full() || (first != nullptr && (is_found(*first) || !inbox_.empty()));
  }
  /// It is there, or was shown.
  [[nodiscard]] bool is_found(const std::optional<Event>& event) const {
    return event.has_value() || shown_;
  }
  void show(const MessageFrame& frame);
  void lose(const Error& reason);
  void address_failed(const Error& error);
  void attempt_over(const Error& error);
  void end(const Error& reason);
  void back_off();
  void pause(std::chrono::milliseconds delay);
  [[nodiscard]] Error no_answer() const;
  void write_failed(const Error& error);

  void handle(ServerFrame& frame);
  void handle_greeting(ServerFrame& frame);
  void handle_ready(ServerFrame& frame);
  void welcome(WelcomeInfo info);
  void rename_daemons(DaemonTable table);
  void resume();
  void confirm(const ConfirmEvent& event);
  void refused(RefusedFrame frame);
  void reply(std::uint64_t number, Result<Reply> reply);

  // client.cpp: requests.
  [[nodiscard]] Result<void> check(const Publication& publication) const;
  Result<void> wait_for_credit(const std::optional<Deadline>& deadline);
  [[nodiscard]] bool has_credit() const;
  [[nodiscard]] bool has_more() const;
  void transmit(const SendRequest& request, const std::optional<Deadline>& deadline);
  void finish_large(std::span<const std::byte> rest, Deadline deadline);
  void send_small(std::span<const std::byte> frame);
  Result<void> wait_event(const std::optional<Deadline>& deadline, std::optional<Event>& event);
  Error say_goodbye(Deadline deadline);
  [[nodiscard]] Error ended() const;

  ClientOptions options_;
  Attempt attempt_;
  Connection connection_;
  State state_{State::paused};
  bool established_{false};  ///< has been ready once
  Error last_error_;         ///< of the last attempt, or why the session is over
  Deadline due_{};           ///< connecting, greeting: give the address up; paused: go on
  Deadline ready_since_{};
  std::chrono::milliseconds delay_;
  std::minstd_rand random_;

  MemberName name_;
  DaemonNames daemons_;
  std::size_t message_bytes_max_{0};
  Inbox inbox_;
  std::set<std::string, std::less<>> groups_;   ///< asked for, and joined again after a loss
  std::set<std::string, std::less<>> leaving_;  ///< asked to leave, and not answered
  Outstanding unconfirmed_;
  std::optional<Awaited> awaited_;
  std::uint64_t last_number_{0};    ///< tickets and request numbers are drawn from one sequence
  std::uint32_t unread_writes_{0};  ///< of messages, since we last read
  ByteWriter scratch_;

  // Of a message that is shown where it lies.
  const OnMessage* on_message_{nullptr};  ///< who wants to see it
  bool shown_{false};
  Position position_;
  std::optional<RingId> position_ring_;  ///< whose names position_ has
  std::string unknown_daemon_;
};

template <class Done>
Result<void> Client::Impl::wait_for(Done done, Deadline deadline, std::string_view waiting_for) {
  for (;;) {
    advance();
    if (done()) return {};
    if (state_ == State::over) return ended();
    if (inbox_.full()) {
      return Error{
          Errc::inbox_full,
          "the inbox is full while waiting for " + std::string(waiting_for) +
              "; receive() before going on"};
    }
    if (Clock::now() >= deadline) {
      return Error{Errc::timed_out, "timed out while waiting for " + std::string(waiting_for)};
    }
    wait(deadline);
  }
}

template <class T, class Encode>
Result<T> Client::Impl::ask(Encode encode, Deadline deadline, std::string_view waiting_for) {
  // A question that cannot be sent yet is not asked: else many in vain would heap up here.
  const auto ready = wait_for([&] { return has_credit(); }, deadline, "the daemon");
  if (!ready) return ready.error();
  const auto number = ++last_number_;
  scratch_.clear();
  encode(scratch_, number);
  awaited_.emplace(Awaited{.number = number, .reply = std::nullopt});
  send_small(scratch_.view());
  return answer<T>(deadline, waiting_for);
}

template <class T>
Result<T> Client::Impl::answer(Deadline deadline, std::string_view waiting_for) {
  const auto done = wait_for([&] { return awaited_->reply.has_value(); }, deadline, waiting_for);
  auto reply = std::move(awaited_->reply);
  awaited_.reset();
  if (!reply) return done.error();
  if (!reply->ok()) return reply->error();
  auto* value = std::get_if<T>(&**reply);
  if (value == nullptr) {
    return Error{Errc::malformed, "the daemon answered another question than the one asked"};
  }
  return std::move(*value);
}

}  // namespace ringcast
