// SPDX-License-Identifier: Apache-2.0
//
// The life of a session: attempts to connect, the greeting, frames in, frames out, loss and
// the pause before the next attempt.
#include "client/impl.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <utility>

namespace ringcast {
namespace {

// The listener's queue is full: it will not be for long.
constexpr std::chrono::milliseconds busy_delay{10};

// At most a day: the caller looks again.
int poll_timeout(Client::Deadline until) {
  const auto now = Client::Clock::now();
  if (until <= now) return 0;
  constexpr std::chrono::milliseconds longest = std::chrono::hours{24};
  // Rounded up, so that a wait ends after its deadline and not just before.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
  return static_cast<int>(std::min(left, longest).count());
}

}  // namespace

Client::Impl::Impl(ClientOptions options)
    : options_(std::move(options)),
      delay_(options_.reconnect_delay_min),
      random_(std::random_device{}()),
      inbox_(options_.inbox_bytes_max) {}

// Each address has its own end; the deadline here is for a listener whose queue stays full.
Result<void> Client::Impl::connect() {
  auto addresses = resolve(options_);
  if (!addresses) return addresses.error();
  attempt_.set_addresses(std::move(*addresses));
  const auto deadline = Clock::now() + options_.connect_timeout;
  begin_attempt();
  while (state_ != State::ready && state_ != State::over) {
    if (state_ == State::paused && Clock::now() >= deadline) return no_answer();
    wait(deadline);
    advance();
  }
  if (state_ == State::over) return last_error_;
  return {};
}

Error Client::Impl::no_answer() const {
  return Error{
      Errc::timed_out,
      "no session with the daemon at " + attempt_.address().text + " in time (connect_timeout is " +
          std::to_string(options_.connect_timeout.count()) +
          " ms); it may be overloaded or cut off, or another program answers there"};
}

void Client::Impl::advance(std::optional<Event>* first) {
  switch (state_) {
    case State::paused:
      if (Clock::now() < due_ || inbox_.full()) break;
      if (attempt_.under_way()) {
        try_address();
      } else {
        begin_attempt();
      }
      break;
    case State::connecting: {
      pollfd entry{.fd = connection_.fd(), .events = POLLOUT, .revents = 0};
      if (::poll(&entry, 1, 0) > 0) opened(connection_.finish(attempt_.address()));
      break;
    }
    case State::greeting:
    case State::ready:
      exchange(first);
      break;
    case State::over:
      break;
  }
  const bool attempting = state_ == State::connecting || state_ == State::greeting;
  if (attempting && Clock::now() >= due_) address_failed(no_answer());
}

void Client::Impl::wait(Deadline until, bool to_write) {
  if (connection_.must_read()) return;
  pollfd entry{.fd = connection_.fd(), .events = 0, .revents = 0};
  if (wants_write() || (to_write && !connection_.blocked())) entry.events |= POLLOUT;
  if (state_ != State::connecting && !inbox_.full()) entry.events |= POLLIN;
  if (state_ != State::ready && state_ != State::over) until = std::min(until, due_);
  // Interrupted or not, the caller looks again.
  (void)::poll(&entry, 1, poll_timeout(until));
}

void Client::Impl::begin_attempt() {
  attempt_.begin(Clock::now(), options_.connect_timeout);
  try_address();
}

void Client::Impl::try_address() {
  const auto now = Clock::now();
  due_ = attempt_.address_ends(now);
  opened(connection_.open(attempt_.address()));
}

void Client::Impl::opened(const Result<Connection::Opening>& opening) {
  if (!opening) {
    address_failed(opening.error());
    return;
  }
  switch (*opening) {
    case Connection::Opening::done:
      greet();
      break;
    case Connection::Opening::in_progress:
      state_ = State::connecting;
      break;
    case Connection::Opening::busy:
      attempt_.end();
      pause(busy_delay);  // somebody is there: no reason for longer ones
      break;
  }
}

void Client::Impl::greet() {
  state_ = State::greeting;
  ByteWriter hello;
  encode_hello(hello, options_.name);
  connection_.queue(hello.view());
  exchange();
}

void Client::Impl::exchange(std::optional<Event>* first) {
  const auto flushed = connection_.flush();
  if (!flushed) {
    write_failed(flushed.error());
    return;
  }
  read_frames(first);
}

void Client::Impl::read_frames(std::optional<Event>* first) {
  if (!handle_buffered(first) || has_enough(first)) return;
  const auto reading = connection_.read();
  if (!reading) {
    lose(reading.error());
    return;
  }
  if (*reading == Connection::Reading::ended) {
    lose(Error{
        Errc::closed,
        "the daemon at " + attempt_.address().text +
            " closed the connection without a reason; its log may have one"});
    return;
  }
  (void)handle_buffered(first);
}

// What the daemon said before it closed is worth more than the words of a failed write.
void Client::Impl::write_failed(const Error& error) {
  (void)handle_buffered();
  while (state_ == State::greeting || state_ == State::ready) {
    const auto reading = connection_.read();
    if (!reading || *reading != Connection::Reading::some || inbox_.full()) {
      lose(error);
      return;
    }
    (void)handle_buffered();
  }
}

/// False when the frame is another, which handle() knows.
bool Client::Impl::take_message(std::span<const std::byte> bytes, std::optional<Event>& event) {
  if (state_ != State::ready) return false;
  const auto message = decode_message(bytes);
  if (!message) return false;
  if (on_message_ != nullptr) {
    show(*message);
    return true;
  }
  event.emplace(std::in_place_type<Message>);
  daemons_.fill(std::get<Message>(*event), *message);
  return true;
}

/// Messages of one configuration come by the million: its names are looked up once.
void Client::Impl::show(const MessageFrame& frame) {
  const auto& event = frame.event;
  if (position_ring_ != event.configuration) {
    position_.configuration = daemons_.configuration_id(event.configuration);
    position_ring_ = event.configuration;
  }
  position_.seq = event.seq.value;
  position_.index = event.index;
  shown_ = true;
  (*on_message_)(MessageView{
      .position = position_,
      .session = event.sender_name,
      .daemon = daemons_.view(event.sender_node, unknown_daemon_),
      .groups = {event.groups.begin(), event.groups.end()},
      .service = event.service,
      .type = event.type,
      .transitional = event.transitional,
      .payload = frame.payload});
}

/// False when the session was lost on the way.
bool Client::Impl::handle_buffered(std::optional<Event>* first) {
  while (!has_enough(first)) {
    const auto bytes = connection_.next_frame();
    if (!bytes) {
      lose(bytes.error());
      return false;
    }
    if (!bytes->has_value()) return true;
    if (first != nullptr && take_message(**bytes, *first)) return true;
    auto frame = decode_server_frame(**bytes);
    if (!frame) {
      lose(frame.error());
      return false;
    }
    handle(*frame);
    if (connection_.fd() == -1) return false;
  }
  return true;
}

void Client::Impl::lose(const Error& reason) {
  if (state_ != State::ready) {
    address_failed(reason);
    return;
  }
  if (awaited_ && !awaited_->reply) {
    (void)unconfirmed_.remove(awaited_->number);
    awaited_->reply = Result<Reply>(Error{
        Errc::closed, "the session was lost while waiting for the answer: " + reason.message});
  }
  if (!options_.reconnect) {
    end(reason);
    return;
  }
  inbox_.push(Closed{.reason = reason.message, .reconnecting = true});
  // A session that is lost as soon as it is made does not make us try faster.
  if (Clock::now() - ready_since_ > options_.reconnect_delay_max) {
    delay_ = options_.reconnect_delay_min;
  }
  back_off();
}

// The next address is left to advance(): whoever called us still holds the old connection.
void Client::Impl::address_failed(const Error& error) {
  connection_.close();
  if (!attempt_.failed(error)) {
    attempt_over(attempt_.error());
    return;
  }
  state_ = State::paused;
  due_ = Clock::now();
}

// During the first connect every error is final. Later most are worth another attempt: also
// name_in_use, for the daemon may not have noticed yet that our last connection is gone.
void Client::Impl::attempt_over(const Error& error) {
  connection_.close();
  attempt_.end();
  last_error_ = error;
  const bool hopeless =
      error.code == Errc::unsupported_version || error.code == Errc::invalid_argument;
  if (!established_ || hopeless) {
    end(error);
    return;
  }
  back_off();
}

void Client::Impl::end(const Error& reason) {
  connection_.close();
  last_error_ = reason;
  state_ = State::over;
  if (established_) {
    inbox_.push(Closed{.reason = reason.message, .reconnecting = false});
  }
}

/// Waits `delay`, shortened at random by up to a half, and doubles the next one.
void Client::Impl::back_off() {
  pause(delay_);
  delay_ = std::min(options_.reconnect_delay_max, std::max(delay_ * 2, busy_delay));
}

void Client::Impl::pause(std::chrono::milliseconds delay) {
  connection_.close();
  state_ = State::paused;
  const auto half = std::max<std::int64_t>(delay.count() / 2, 1);
  std::uniform_int_distribution<std::int64_t> jitter(0, half);
  due_ = Clock::now() + std::chrono::milliseconds(delay.count() - half + jitter(random_));
}

void Client::Impl::handle(ServerFrame& frame) {
  if (state_ == State::greeting) {
    handle_greeting(frame);
  } else {
    handle_ready(frame);
  }
}

void Client::Impl::handle_greeting(ServerFrame& frame) {
  if (auto* info = std::get_if<WelcomeInfo>(&frame)) {
    welcome(std::move(*info));
  } else if (const auto* closed = std::get_if<ClosedFrame>(&frame)) {
    attempt_over(closed->reason);
  } else {
    address_failed(Error{Errc::malformed, "the daemon's first frame is no welcome [SES-5]"});
  }
}

void Client::Impl::welcome(WelcomeInfo info) {
  if (info.version < session_version_min || info.version > session_version_max) {
    attempt_over(Error{
        Errc::unsupported_version,
        "the daemon chose session version " + std::to_string(info.version) +
            ", which was not offered; upgrade the older of daemon and client"});
    return;
  }
  name_ = MemberName{.session = std::move(info.name), .daemon = std::move(info.daemon)};
  message_bytes_max_ = info.message_bytes_max;
  rename_daemons(std::move(info.daemons));
  attempt_.end();
  state_ = State::ready;
  ready_since_ = Clock::now();
  if (established_) resume();
  established_ = true;
}

void Client::Impl::rename_daemons(DaemonTable table) {
  daemons_.replace(std::move(table));
  position_ring_.reset();
}

/// Joins again what was joined, and says so. A leave that the lost session did not answer has
/// come true with its end.
void Client::Impl::resume() {
  for (const auto& group : std::exchange(leaving_, {})) {
    inbox_.push(Left{.group = group});
  }
  ByteWriter joins;
  for (const auto& group : groups_) {
    encode_join(joins, group);
  }
  connection_.queue(joins.view());
  inbox_.push(Reconnected{
      .name = name_,
      .groups = {groups_.begin(), groups_.end()},
      .unconfirmed = unconfirmed_.take()});
}

void Client::Impl::handle_ready(ServerFrame& frame) {
  struct Handler {
    Impl& self;

    void operator()(WelcomeInfo&) const {
      self.lose(Error{Errc::malformed, "the daemon sent a second welcome [SES-5]"});
    }
    void operator()(DaemonsFrame& table) const { self.rename_daemons(std::move(table.daemons)); }
    void operator()(const MessageFrame& frame) const {
      self.inbox_.push_message([&](Message& message) { self.daemons_.fill(message, frame); });
    }
    void operator()(ViewEvent& view) const {
      self.inbox_.push(self.daemons_.view(std::move(view)));
    }
    void operator()(TransitionalEvent& signal) const {
      self.inbox_.push(Transitional{.group = std::move(signal.group)});
    }
    void operator()(LeftEvent& left) const {
      self.leaving_.erase(left.group);
      self.inbox_.push(Left{.group = std::move(left.group)});
    }
    void operator()(const ConfigurationEvent& event) const {
      self.inbox_.push(self.daemons_.configuration(event));
    }
    void operator()(const ConfirmEvent& event) const { self.confirm(event); }
    void operator()(StatusFrame& frame) const {
      self.reply(frame.request, Reply{std::move(frame.status)});
    }
    void operator()(GroupsFrame& frame) const {
      const auto request = frame.request;
      self.reply(request, Reply{std::move(frame)});
    }
    void operator()(const PongFrame& frame) const { self.reply(frame.request, Reply{frame}); }
    void operator()(RefusedFrame& frame) const { self.refused(std::move(frame)); }
    void operator()(const ClosedFrame& frame) const { self.lose(frame.reason); }
  };
  std::visit(Handler{*this}, frame);
}

void Client::Impl::confirm(const ConfirmEvent& event) {
  if (!unconfirmed_.remove(event.ticket)) {
    lose(Error{Errc::malformed, "the daemon confirmed what was not published [SES-10]"});
    return;
  }
  auto confirmation = daemons_.confirmation(event);
  if (awaited_ && awaited_->number == event.ticket) {
    awaited_->reply = Result<Reply>(Reply{std::move(confirmation)});
    return;
  }
  inbox_.push(std::move(confirmation));
}

void Client::Impl::refused(RefusedFrame frame) {
  (void)unconfirmed_.remove(frame.about);
  if (frame.about != 0 && awaited_ && awaited_->number == frame.about) {
    awaited_->reply = Result<Reply>(std::move(frame.error));
    return;
  }
  const bool is_leave = frame.error.code == Errc::not_member;
  const bool still_in = frame.error.code == Errc::already_member;
  if (is_leave) leaving_.erase(frame.subject);
  if (!is_leave && !still_in) groups_.erase(frame.subject);
  inbox_.push(Refused{
      .ticket = frame.about, .group = std::move(frame.subject), .error = std::move(frame.error)});
}

// An answer nobody waits for any more belongs to a call that timed out.
void Client::Impl::reply(std::uint64_t number, Result<Reply> reply) {
  if (awaited_ && awaited_->number == number) awaited_->reply = std::move(reply);
}

}  // namespace ringcast
