// SPDX-License-Identifier: Apache-2.0
//
// Client, and the requests half of its Impl: memberships, publishing, questions, goodbye.
#include "ringcast/client.hpp"

#include <utility>

#include "client/impl.hpp"

namespace ringcast {
namespace {

// Above this much unwritten output a publish waits: the daemon has stopped reading us.
constexpr std::size_t unwritten_bytes_max = std::size_t{1} << 20U;
// A rest longer than this is written from the caller's memory instead of being copied.
constexpr std::size_t copied_bytes_max = std::size_t{64} << 10U;
// More would not leave room for a message before publish waits.
constexpr std::size_t coalesce_bytes_max = unwritten_bytes_max / 2;
// A program that only publishes still reads this often, lest it is taken for one that hangs.
constexpr std::uint32_t writes_per_read = 64;
// The daemon's last words when it has taken a goodbye, and with it all that came before.
constexpr std::string_view goodbye_taken = "goodbye";  // [SES-13]

constexpr std::chrono::milliseconds time_max = std::chrono::hours{24};

Result<void> check_time(std::string_view option, std::chrono::milliseconds time) {
  if (time.count() >= 1 && time <= time_max) return {};
  return Error{
      Errc::invalid_argument,
      std::string(option) + " of " + std::to_string(time.count()) +
          " ms is not between 1 ms and a day"};
}

Result<void> check(const ClientOptions& options) {
  if (!options.name.empty() && !is_valid_word(options.name)) {
    return Error{
        Errc::invalid_argument,
        "private name \"" + options.name.substr(0, 80) +
            "\" is not 1 to 64 letters, digits, '_', '.', ':' or '-'"};
  }
  auto checked = check_time("connect_timeout", options.connect_timeout);
  if (checked) checked = check_time("reconnect_delay_min", options.reconnect_delay_min);
  if (checked) checked = check_time("reconnect_delay_max", options.reconnect_delay_max);
  if (!checked) return checked;
  if (options.reconnect_delay_min > options.reconnect_delay_max) {
    return Error{Errc::invalid_argument, "reconnect_delay_min is longer than reconnect_delay_max"};
  }
  if (options.inbox_bytes_max == 0) {
    return Error{Errc::invalid_argument, "an inbox of 0 bytes can receive nothing"};
  }
  if (options.coalesce_bytes > coalesce_bytes_max) {
    return Error{
        Errc::invalid_argument,
        "coalesce_bytes of " + std::to_string(options.coalesce_bytes) + " is more than " +
            std::to_string(coalesce_bytes_max)};
  }
  return {};
}

}  // namespace

Error Client::Impl::ended() const {
  return Error{Errc::closed, "the session is over: " + last_error_.message};
}

void Client::Impl::send_small(std::span<const std::byte> frame) {
  connection_.queue(frame);
  const auto flushed = connection_.flush();
  if (!flushed) write_failed(flushed.error());
}

Result<void> Client::Impl::ask_membership(std::string_view group, bool join) {
  auto checked = check_group(group);
  if (!checked) return checked;
  if (state_ == State::over) return ended();
  const auto found = groups_.find(group);
  if (join == (found != groups_.end())) {
    return Error{
        join ? Errc::already_member : Errc::not_member,
        "group " + std::string(group) +
            (join ? ": this client has joined it already" : ": this client has not joined it")};
  }
  scratch_.clear();
  if (join) {
    groups_.emplace(group);
    encode_join(scratch_, group);
  } else {
    groups_.erase(found);
    leaving_.emplace(group);
    encode_leave(scratch_, group);
  }
  // While disconnected the sets are all: resume() joins and answers what is in them.
  if (state_ == State::ready) send_small(scratch_.view());
  return {};
}

Result<void> Client::Impl::check(const Publication& publication) const {
  const auto count = publication.groups.size();
  if (count == 0 || count > destinations_max) {
    return Error{
        Errc::invalid_argument,
        "a message goes to 1 to " + std::to_string(destinations_max) + " groups, not to " +
            std::to_string(count)};
  }
  for (const auto& group : publication.groups) {
    auto checked = check_destination(group);
    if (!checked) return checked;
  }
  if (publication.service > Service::safe) {
    return Error{Errc::invalid_argument, "the service is none of reliable to safe"};
  }
  if (publication.payload.size() > message_bytes_max_) {
    return Error{
        Errc::too_large,
        "a message of " + std::to_string(publication.payload.size()) +
            " bytes is longer than the daemon's limit of " + std::to_string(message_bytes_max_) +
            "; send it in parts or raise message_bytes_max"};
  }
  return {};
}

bool Client::Impl::has_credit() const {
  return state_ == State::ready && connection_.unwritten() < unwritten_bytes_max;
}

Result<void> Client::Impl::wait_for_credit(const std::optional<Deadline>& deadline) {
  if (!has_credit() || unread_writes_ >= writes_per_read) {
    unread_writes_ = 0;
    advance();
  }
  if (state_ == State::over) return ended();
  if (inbox_.full()) {
    return Error{Errc::inbox_full, "the inbox is full; receive() before publishing more"};
  }
  if (has_credit()) return {};
  if (deadline) return wait_for([this] { return has_credit(); }, *deadline, "credit to publish");
  if (state_ != State::ready) {
    return Error{Errc::would_block, "not connected at the moment; the session is being renewed"};
  }
  return Error{Errc::would_block, "the daemon takes no more at the moment"};
}

Result<std::uint64_t> Client::Impl::publish(
    const Publication& publication, const std::optional<Deadline>& deadline, bool awaited) {
  const auto checked = check(publication);
  if (!checked) return checked.error();
  const auto credit = wait_for_credit(deadline);
  if (!credit) return credit.error();
  SendRequest request{
      .ticket = ++last_number_,
      .groups = ShortList<std::string_view>(publication.groups),
      .service = publication.service,
      .type = publication.type,
      .echo = publication.echo,
      .confirm = publication.confirm,
      .payload = publication.payload};
  if (request.confirm) unconfirmed_.add(request.ticket);
  if (awaited) awaited_.emplace(Awaited{.number = request.ticket, .reply = std::nullopt});
  transmit(request, deadline);
  // With reconnect, a loss in between is told by Reconnected, which lists the ticket.
  if (state_ == State::over) return ended();
  return request.ticket;
}

void Client::Impl::transmit(const SendRequest& request, const std::optional<Deadline>& deadline) {
  scratch_.clear();
  encode_publish_head(scratch_, request);
  const auto waiting = connection_.unwritten() + scratch_.size() + request.payload.size();
  if (waiting < options_.coalesce_bytes) {
    connection_.queue(scratch_.view());
    connection_.queue(request.payload);
    return;
  }
  ++unread_writes_;
  const auto rest = connection_.send(scratch_.view(), request.payload);
  if (!rest) {
    write_failed(rest.error());
  } else if (deadline && rest->size() > copied_bytes_max) {
    finish_large(*rest, *deadline);
  } else if (!rest->empty()) {
    connection_.queue(*rest);
  }
}

Result<void> Client::Impl::write_coalesced() {
  if (state_ == State::ready && connection_.unwritten() > 0) {
    ++unread_writes_;
    const auto flushed = connection_.flush();
    if (!flushed) write_failed(flushed.error());
  }
  if (state_ == State::over) return ended();
  return {};
}

// Writes straight from the caller's memory for as long as it may wait, and goes on reading;
// what is left when it may not is copied, for half a frame cannot be taken back.
void Client::Impl::finish_large(std::span<const std::byte> rest, Deadline deadline) {
  while (!inbox_.full() && Clock::now() < deadline) {
    wait(deadline, true);
    const auto left = connection_.send({}, rest);
    if (!left) {
      write_failed(left.error());
      return;
    }
    rest = *left;
    if (rest.empty()) return;
    read_frames();
    if (state_ != State::ready) return;
  }
  connection_.queue(rest);
}

Result<Confirmation> Client::Impl::publish_and_wait(
    const Publication& publication, Deadline deadline) {
  auto confirmed = publication;
  confirmed.confirm = true;
  const auto ticket = publish(confirmed, deadline, true);
  if (!ticket) {
    awaited_.reset();
    return ticket.error();
  }
  return answer<Confirmation>(deadline, "the confirmation");
}

/// The socket may hold more than the last read took: a part of a large frame, as a rule.
bool Client::Impl::has_more() const {
  const bool open = state_ == State::greeting || state_ == State::ready;
  return open && !connection_.drained();
}

// An event that is there already costs no system call.
Result<std::optional<Event>> Client::Impl::next_event(const std::optional<Deadline>& deadline) {
  Result<std::optional<Event>> next{std::optional<Event>{}};  // the one thing that is returned
  auto& event = *next;
  if (inbox_.empty() && state_ == State::ready) (void)handle_buffered(&event);
  if (is_found(event)) return next;
  const auto waited = wait_event(deadline, event);
  if (!waited) next = waited.error();
  return next;
}

// Where the last read took all there was, the next is sure to find nothing: poll first. Without a
// deadline it reads until there is no more, for a program that watches for edges hears of it only
// once.
Result<void> Client::Impl::wait_event(
    const std::optional<Deadline>& deadline, std::optional<Event>& event) {
  const bool quiet = connection_.drained() && !wants_write();
  if (inbox_.empty() && state_ == State::ready && deadline && quiet) wait(*deadline);
  for (;;) {
    if (!is_found(event)) event = inbox_.pop();
    if (is_found(event)) return {};
    if (state_ == State::over) return ended();
    advance(&event);
    if (is_found(event) || !inbox_.empty() || state_ == State::over) continue;
    if (!deadline && has_more()) continue;
    if (!deadline) return {};
    if (Clock::now() >= *deadline) return Error{Errc::timed_out, "no event within the deadline"};
    wait(*deadline);
  }
}

Result<bool> Client::Impl::show_event(
    const OnMessage& on_message, const std::function<void(Event)>& on_other) {
  struct Showing {
    explicit Showing(Impl& client, const OnMessage& to) : self(client) {
      self.on_message_ = &to;
      self.shown_ = false;
    }
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;
    Showing(Showing&&) = delete;
    Showing& operator=(Showing&&) = delete;
    ~Showing() {
      self.on_message_ = nullptr;
      self.shown_ = false;
    }
    Impl& self;
  };
  const Showing showing(*this, on_message);
  auto next = next_event(std::nullopt);
  if (!next) return next.error();
  auto& event = *next;
  if (!event) return shown_;
  const auto* const message = std::get_if<Message>(&*event);  // it was in the inbox
  if (message == nullptr) {
    on_other(std::move(*event));
    return true;
  }
  const std::vector<std::string_view> groups(message->groups.begin(), message->groups.end());
  on_message(MessageView{
      .position = message->position,
      .session = message->sender.session,
      .daemon = message->sender.daemon,
      .groups = groups,
      .service = message->service,
      .type = message->type,
      .transitional = message->transitional,
      .payload = message->payload});
  return true;
}

Result<void> Client::Impl::close(Deadline deadline) {
  if (state_ == State::over) {
    inbox_.clear();
    return ended();
  }
  options_.reconnect = false;
  auto last_words = Error{Errc::closed, "there is no connection at the moment"};
  if (state_ == State::ready) last_words = say_goodbye(deadline);
  end(Error{Errc::closed, "closed by this client"});
  inbox_.clear();
  if (last_words.code == Errc::closed && last_words.message == goodbye_taken) return {};
  return Error{
      last_words.code == Errc::timed_out ? Errc::timed_out : Errc::closed,
      "the daemon may not have taken everything: " + last_words.message};
}

/// Reads on, and drops what it reads, until the session is over; why it is.
Error Client::Impl::say_goodbye(Deadline deadline) {
  scratch_.clear();
  encode_goodbye(scratch_);
  connection_.queue(scratch_.view());
  for (;;) {
    exchange();
    const bool read_all = !inbox_.full();
    inbox_.clear();
    if (state_ == State::over) return last_error_;
    if (Clock::now() >= deadline) {
      return Error{Errc::timed_out, "it did not answer the goodbye before the deadline"};
    }
    if (read_all) wait(deadline);
  }
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(ClientOptions options) {
  const auto checked = check(options);
  if (!checked) return checked.error();
  auto impl = std::make_unique<Impl>(std::move(options));
  const auto connected = impl->connect();
  if (!connected) return connected.error();
  return Client(std::move(impl));
}

const MemberName& Client::name() const { return impl_->name(); }

std::size_t Client::message_bytes_max() const { return impl_->message_bytes_max(); }

Result<void> Client::join(std::string_view group) { return impl_->ask_membership(group, true); }

Result<void> Client::leave(std::string_view group) { return impl_->ask_membership(group, false); }

Result<std::uint64_t> Client::publish(const Publication& publication, Deadline deadline) {
  return impl_->publish(publication, deadline, false);
}

Result<std::uint64_t> Client::try_publish(const Publication& publication) {
  return impl_->publish(publication, std::nullopt, false);
}

Result<void> Client::write_coalesced() { return impl_->write_coalesced(); }

Result<Event> Client::receive() { return receive_until(Deadline::max()); }

Result<Event> Client::receive_until(Deadline deadline) {
  auto event = impl_->next_event(deadline);
  if (!event) return event.error();
  return std::move(**event);
}

Result<std::optional<Event>> Client::try_receive() { return impl_->next_event(std::nullopt); }

Result<bool> Client::try_receive(
    const std::function<void(const MessageView&)>& on_message,
    const std::function<void(Event)>& on_other) {
  return impl_->show_event(on_message, on_other);
}

Result<Confirmation> Client::publish_and_wait(const Publication& publication, Deadline deadline) {
  return impl_->publish_and_wait(publication, deadline);
}

Result<void> Client::flush(Deadline deadline) {
  const auto pong = impl_->ask<PongFrame>(encode_ping, deadline, "the daemon to take everything");
  if (!pong) return pong.error();
  return {};
}

Result<NodeStatus> Client::status(Deadline deadline) {
  return impl_->ask<NodeStatus>(encode_status_request, deadline, "the status");
}

Result<std::vector<GroupInfo>> Client::groups(std::string_view group, Deadline deadline) {
  if (!group.empty()) {
    const auto checked = check_group(group);
    if (!checked) return checked.error();
  }
  const auto encode = [group](ByteWriter& out, std::uint64_t number) {
    encode_groups_request(out, number, group);
  };
  auto frame = impl_->ask<GroupsFrame>(encode, deadline, "the groups");
  if (!frame) return frame.error();
  if (frame->truncated) {
    return Error{
        Errc::limit_exceeded, "more groups than one answer can hold; ask for one group by name"};
  }
  return impl_->daemons().groups(std::move(frame->groups));
}

int Client::fd() const { return impl_->fd(); }

bool Client::wants_write() const { return impl_->wants_write(); }

bool Client::has_event() const { return impl_->has_event(); }

std::optional<Client::Deadline> Client::next_attempt() const {
  const auto state = impl_->state();
  if (state == Impl::State::ready || state == Impl::State::over) return std::nullopt;
  return impl_->due();
}

Result<void> Client::close(Deadline deadline) { return impl_->close(deadline); }

}  // namespace ringcast
