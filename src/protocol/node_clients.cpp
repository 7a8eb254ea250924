// SPDX-License-Identifier: Apache-2.0
//
// What clients ask for: sessions open and close here, requests walk on to groups.
#include <utility>

#include "protocol/node_impl.hpp"

namespace ringcast {

SessionId Node::Impl::open_client() {
  const SessionId id{++last_session_};
  sessions_.try_emplace(id, id, config_.session, config_.ring.message_bytes_max, now_);
  silent_.insert(id);
  if (sessions_.size() > config_.session.sessions_max) {
    close(
        id,
        Error{
            Errc::limit_exceeded,
            "the daemon serves its limit of " + std::to_string(config_.session.sessions_max) +
                " sessions"},
        Cause::disconnect);
  } else if (leaving_ || !groups_) {
    close(id, Error{Errc::closed, "daemon stopped"}, Cause::disconnect);
  }
  return id;
}

void Node::Impl::client_bytes(SessionId id, std::span<const std::byte> bytes) {
  close_over_backlog();
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  found->second.lend(bytes);
  take_requests(id);
  found = sessions_.find(id);  // a request may have ended the session
  if (found != sessions_.end()) found->second.keep();
}

void Node::Impl::take_requests(SessionId id) {
  auto found = sessions_.find(id);
  GroupsOutput out;
  while (found != sessions_.end() && may_take(found->second)) {
    const auto request = found->second.next_request();
    if (!request) {
      count("sessions_closed_" + std::string(to_string(request.error().code)));
      close(id, request.error(), Cause::disconnect);
      return;
    }
    if (!*request) return;
    take(id, found->second, **request, out);
    found = sessions_.find(id);  // the request may have ended the session
  }
}

struct Node::Impl::Door {
  Impl& node;
  SessionId id;
  Session& session;
  GroupsOutput& out;

  void operator()(const HelloRequest& hello) const { node.greet(id, session, hello); }
  void operator()(const JoinRequest& join) const {
    session.add_group(join.group);
    node.groups_->join(id, join.group, out);
  }
  void operator()(const LeaveRequest& leave) const {
    session.remove_group(leave.group);
    node.groups_->leave(id, leave.group, out);
  }
  void operator()(const SendRequest& send) const {
    const PublishRequest request{
        .ticket = send.ticket,
        .groups = send.groups,
        .service = send.service,
        .type = send.type,
        .echo = send.echo,
        .confirm = send.confirm,
        .payload = send.payload};
    node.groups_->publish(id, request, out);
  }
  void operator()(const StatusRequest& status) const {
    node.write(id, Session::encode_status(status.request, node.status(node.now_)));
  }
  void operator()(const GroupsRequest& groups) const {
    node.write(id, Session::encode_groups(groups.request, node.groups_->members(groups.group)));
  }
  void operator()(const PingRequest& ping) const {
    node.write(id, Session::encode_pong(ping.request));
  }
  void operator()(const GoodbyeRequest&) const {
    node.close(id, Error{Errc::closed, "goodbye"}, Cause::leave);
  }
  void operator()(const Refusal& refusal) const {
    node.write(id, Session::encode_refused(refusal.about, refusal.subject, refusal.error));
  }
};

void Node::Impl::take(
    SessionId id, Session& session, const ClientRequest& request, GroupsOutput& out) {
  std::visit(Door{*this, id, session, out}, request);
  route(out);
}

std::string Node::Impl::free_name() const {
  std::uint64_t number = last_session_;
  while (names_.contains("c" + std::to_string(number))) {
    ++number;
  }
  return "c" + std::to_string(number);
}

void Node::Impl::greet(SessionId id, Session& session, const HelloRequest& hello) {
  const std::string name = hello.name.empty() ? free_name() : hello.name;
  if (!names_.insert(name).second) {
    close(
        id,
        Error{
            Errc::name_in_use,
            "name \"" + name + "\" belongs to another session of daemon " + config_.name +
                "; choose another or none"},
        Cause::disconnect);
    return;
  }
  session.establish(name);
  silent_.erase(id);
  trace(TraceKind::session_opened, TraceLevel::debug, id.value, [&] {
    return "session " + std::to_string(id.value) + " opened as " + name;
  });
  write(
      id,
      Session::encode_welcome(WelcomeInfo{
          .name = name,
          .daemon = config_.name,
          .message_bytes_max = config_.ring.message_bytes_max,
          .credit_bytes = config_.session.credit_bytes,
          .daemons = daemon_table()}));
  GroupsOutput out;
  groups_->open_session(id, name, out);
  route(out);
}

void Node::Impl::client_written(SessionId id, std::size_t count) {
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) found->second.written(count);
}

void Node::Impl::client_closed(SessionId id) {
  forget(id, Error{Errc::closed, "connection lost"}, Cause::disconnect, false);
}

// [SES-16]
void Node::Impl::close(SessionId id, const Error& reason, Cause cause) {
  write(id, Session::encode_closed(reason));
  forget(id, reason, cause, true);
}

void Node::Impl::forget(SessionId id, const Error& reason, Cause cause, bool tell_driver) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const bool established = found->second.established();
  if (established) names_.erase(found->second.name());
  auto level = cause == Cause::leave ? TraceLevel::debug : TraceLevel::info;
  if (reason.code == Errc::limit_exceeded) level = TraceLevel::warn;
  trace(TraceKind::session_closed, level, id.value, [&] {
    return "session " + std::to_string(id.value) + " " + found->second.name() +
           " -> closed: " + reason.message;
  });
  sessions_.erase(found);
  over_backlog_.erase(id);
  silent_.erase(id);
  if (tell_driver) effects_->client_closes.push_back(ClientClose{id, reason.message});
  if (!established) return;
  GroupsOutput out;
  groups_->close_session(id, cause, out);
  route(out);
}

void Node::Impl::close_silent() {
  while (!silent_.empty()) {
    const SessionId id = *silent_.begin();
    if (sessions_.at(id).handshake_deadline() > now_) return;
    count("sessions_closed_silent");
    close(id, Error{Errc::timed_out, "no hello came in time"}, Cause::disconnect);
  }
}

bool Node::Impl::may_read(SessionId id) const {
  // [FLW-5, SES-11] Back-pressure is the socket itself.
  const auto found = sessions_.find(id);
  return found != sessions_.end() && groups_ && may_take(found->second);
}

bool Node::Impl::holds_requests(SessionId id) const {
  const auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.has_request();
}

// Asked before every request: one read may bring thousands, and each may cause much.
bool Node::Impl::may_take(const Session& session) const {
  // Who does not take its confirmations, messages and answers may not cause more of them.
  if (session.backlog_bytes() > config_.session.credit_bytes) return false;
  const std::uint64_t unordered = groups_ ? groups_->unordered_bytes(session.id()) : 0;
  // A full queue stops those who filled it, and all that would add to it: greetings and
  // questions are heard at all times.
  const bool is_full = ring_.queued_bytes() >= config_.ring.send_queue_bytes_max;
  if (is_full && (unordered > 0 || session.orders_next())) return false;
  return unordered < config_.session.credit_bytes;
}

}  // namespace ringcast
