// SPDX-License-Identifier: Apache-2.0
//
// Requests become envelopes; ordered envelopes change the Directory and become events.
#include "protocol/groups/groups.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/base/assert.hpp"
#include "protocol/groups/groups_impl.hpp"

namespace ringcast {
namespace {

/// What a queued request costs beside its envelope, for credit. [GRP-10]
constexpr std::uint64_t credit_per_request = 128;

}  // namespace

// Requests. ---------------------------------------------------------------------------------

LocalSession& Groups::Impl::open_local(SessionId session) {
  const auto at = sessions_.find(session);
  RC_ASSERT(at != sessions_.end());
  RC_ASSERT(at->second.open);
  return at->second;
}

void Groups::Impl::open_session(SessionId session, std::string_view name, GroupsOutput& out) {
  RC_ASSERT(!sessions_.contains(session));
  RC_ASSERT(!open_names_.contains(name));
  sessions_[session].name = name;
  open_names_.emplace(name, session);
  // [SES-14] Before everything else.
  if (gate_open()) out.tell(session, configuration_);
}

void Groups::Impl::join(SessionId session, std::string_view group, GroupsOutput& out) {
  auto& local = open_local(session);
  local.asked.emplace(group);
  const JoinChange change{.session = session, .name = local.name, .group = group};
  submit(local, encode(change), {}, out);
}

void Groups::Impl::leave(SessionId session, std::string_view group, GroupsOutput& out) {
  auto& local = open_local(session);
  if (const auto at = local.asked.find(group); at != local.asked.end()) local.asked.erase(at);
  const LeaveChange change{.session = session, .group = group};
  submit(local, encode(change), {}, out);
}

void Groups::Impl::publish(SessionId session, const PublishRequest& request, GroupsOutput& out) {
  auto& local = open_local(session);
  ClientMessage message{
      .session = session,
      .sender = local.name,
      .echo = request.echo,
      .ticket = std::nullopt,
      .type = request.type,
      .groups = ShortList<std::string_view>(request.groups.begin(), request.groups.end()),
      .payload = request.payload};
  if (request.confirm) message.ticket = request.ticket;
  submit(local, encode(message), request.service, out);
}

// [GRP-10]
void Groups::Impl::submit(
    LocalSession& local, BufferRef envelope, Service service, GroupsOutput& out) {
  local.unordered_bytes += envelope.size() + credit_per_request;
  out.submissions.push_back({.envelope = std::move(envelope), .service = service});
}

// [GRP-10]
void Groups::Impl::give_credit_back(const OrderedMessage& message, SessionId session) {
  if (message.originator != self_.node) return;
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return;
  auto& unordered = at->second.unordered_bytes;
  unordered -= std::min(unordered, message.payload.size() + credit_per_request);
}

void Groups::Impl::close_session(SessionId session, Cause cause, GroupsOutput& out) {
  auto& local = open_local(session);
  open_names_.erase(local.name);
  if (local.asked.empty()) {
    sessions_.erase(session);  // no group will ever miss it
    return;
  }
  local.open = false;
  const DisconnectChange change{.session = session, .goodbye = cause == Cause::leave};
  out.submissions.push_back({.envelope = encode(change)});
}

std::uint64_t Groups::Impl::unordered_bytes(SessionId session) const {
  const auto at = sessions_.find(session);
  return at == sessions_.end() ? 0 : at->second.unordered_bytes;
}

// Ordered envelopes. ------------------------------------------------------------------------

void Groups::Impl::on_message(OrderedMessage& message, GroupsOutput& out) {
  // Of a client's message the first buffer is nearly always enough.
  if (const auto sent = decode_client_message(message.payload.front().bytes())) {
    give_credit_back(message, sent->session);
    if (!is_too_early(message)) apply(message, *sent, out);
    return;
  }
  if (!message.payload.is_one_piece()) {
    message.payload = message.payload.joined();
    on_message(message, out);
    return;
  }
  const auto envelope = decode_envelope(message.payload.front().bytes());
  if (!envelope) {
    reject(message, envelope.error().message);
    return;
  }
  if (const auto* const join = std::get_if<JoinChange>(&*envelope)) {
    give_credit_back(message, join->session);
  } else if (const auto* const leave = std::get_if<LeaveChange>(&*envelope)) {
    give_credit_back(message, leave->session);
  }
  if (!std::holds_alternative<ExchangeChunk>(*envelope) && is_too_early(message)) return;
  std::visit([&](const auto& value) { apply(message, value, out); }, *envelope);
}

// [GRP-5]
bool Groups::Impl::is_too_early(const OrderedMessage& message) {
  if (complete_) return false;
  reject(message, "sent although the exchange was not complete");
  return true;
}

void Groups::Impl::add_open_members(std::string_view group, std::vector<SessionId>& to) const {
  const auto first = static_cast<std::ptrdiff_t>(to.size());
  for (const auto& member : directory_.members_at(group, self_.node)) {
    const auto at = sessions_.find(member.session);
    if (at != sessions_.end() && at->second.open) to.push_back(member.session);
  }
  std::sort(to.begin() + first, to.end());
}

std::vector<SessionId> Groups::Impl::open_members(std::string_view group) const {
  std::vector<SessionId> to;
  add_open_members(group, to);
  return to;
}

void Groups::Impl::add_private_recipient(
    std::string_view destination, std::vector<SessionId>& to) const {
  const auto parts = split_private_group(destination);
  if (!parts || node_id(parts->daemon) != self_.node) return;
  const auto at = open_names_.find(parts->session);
  if (at != open_names_.end()) to.push_back(at->second);
}

void Groups::Impl::add_recipients(
    const OrderedMessage& message, const ClientMessage& sent, std::vector<SessionId>& to) const {
  const auto first = static_cast<std::ptrdiff_t>(to.size());
  for (const auto group : sent.groups) {
    if (group.front() == '#') {
      add_private_recipient(group, to);
    } else {
      add_open_members(group, to);
    }
  }
  if (sent.groups.size() > 1) {
    std::sort(to.begin() + first, to.end());
    to.erase(std::unique(to.begin() + first, to.end()), to.end());
  }
  if (!sent.echo && message.originator == self_.node) {
    to.erase(std::remove(to.begin() + first, to.end(), sent.session), to.end());
  }
}

// [GRP-2]
void Groups::Impl::apply(OrderedMessage& message, const ClientMessage& sent, GroupsOutput& out) {
  const std::size_t first = out.recipients.size();
  add_recipients(message, sent, out.recipients);
  if (first != out.recipients.size()) {
    auto& event = out.message_from(first);
    event.configuration = message.configuration;
    event.seq = message.seq;
    event.index = message.index;
    event.sender_node = message.originator;
    event.sender_name = sent.sender;
    event.groups = sent.groups;
    event.service = message.service;
    event.type = sent.type;
    event.transitional = message.transitional;
    event.payload = std::move(message.payload);  // the names above lie in it
    event.payload.remove_prefix(event.payload.front().size() - sent.payload.size());
  }
  if (message.originator == self_.node) confirm(message, sent, out);
}

// [GRP-10]
void Groups::Impl::confirm(
    const OrderedMessage& message, const ClientMessage& sent, GroupsOutput& out) {
  const auto at = sessions_.find(sent.session);
  if (at == sessions_.end() || !at->second.open || !sent.ticket) return;
  const ConfirmEvent event{
      .ticket = *sent.ticket,
      .configuration = message.configuration,
      .seq = message.seq,
      .index = message.index,
      .stable = message.service == Service::safe,
      .transitional = message.transitional};
  out.tell(sent.session, event);
}

// [GRP-3]
void Groups::Impl::apply(const OrderedMessage& message, const JoinChange& join, GroupsOutput& out) {
  const Member who{
      .node = message.originator, .name = std::string(join.name), .session = join.session};
  auto to = open_members(join.group);
  if (!directory_.add(join.group, who)) {
    reject(message, "join of a member, or under a name that is taken");
    return;
  }
  const auto& members = directory_.find(join.group)->members;
  ViewEvent view{
      .group = std::string(join.group),
      .id = next_view_id(),
      .cause = Cause::join,
      .who = {who},
      .members = members,
      .with_me = {}};
  if (!to.empty()) {
    view.with_me = members_within(members, companions_);
    std::erase(view.with_me, who);
    out.tell(to, view);
  }
  const auto local = sessions_.find(who.session);
  if (who.node == self_.node && local != sessions_.end() && local->second.open) {
    view.with_me = {who};
    out.tell(who.session, std::move(view));
  }
  // In a transitional configuration the group may already owe a network view, or owe one
  // from now on, when the joiner's own daemon stays behind. [GRP-7]
  if (!contains_node(companions_, who.node)) directory_.set_changed(join.group, true);
  if (directory_.find(join.group)->changed) signal(join.group, out);
}

void Groups::Impl::apply(
    const OrderedMessage& message, const LeaveChange& leave, GroupsOutput& out) {
  const Member who{
      .node = message.originator,
      .name = directory_.name_of(message.originator, leave.session),
      .session = leave.session};
  const std::string group(leave.group);
  if (!directory_.remove(group, who.node, who.session)) {
    reject(message, "leave without membership");
    return;
  }
  const auto local = sessions_.find(who.session);
  if (who.node == self_.node && local != sessions_.end()) {
    local->second.signalled.erase(group);
    if (local->second.open) {
      out.tell(who.session, LeftEvent{group});
    }
  }
  left_view(group, who, Cause::leave, out);
}

void Groups::Impl::apply(
    const OrderedMessage& message, const DisconnectChange& change, GroupsOutput& out) {
  const Member who{
      .node = message.originator,
      .name = directory_.name_of(message.originator, change.session),
      .session = change.session};
  for (const auto& group : directory_.groups_of(who.node, who.session)) {
    directory_.remove(group, who.node, who.session);
    left_view(group, who, change.goodbye ? Cause::leave : Cause::disconnect, out);
  }
  const auto local = sessions_.find(who.session);
  if (who.node == self_.node && local != sessions_.end() && !local->second.open) {
    sessions_.erase(local);
  }
}

void Groups::Impl::left_view(
    const std::string& group, const Member& who, Cause cause, GroupsOutput& out) {
  const auto id = next_view_id();  // counted even when nobody is left to be told [GRP-4]
  auto to = open_members(group);
  if (to.empty()) return;
  const auto& members = directory_.find(group)->members;
  ViewEvent view{
      .group = group,
      .id = id,
      .cause = cause,
      .who = {who},
      .members = members,
      .with_me = members_within(members, companions_)};
  out.tell(to, std::move(view));
}

void Groups::Impl::apply(
    const OrderedMessage& message, const ExchangeChunk& chunk, GroupsOutput& out) {
  // Pieces of an attempt that was cut off, or of a configuration left behind. [GRP-9]
  if (!exchange_ || chunk.configuration != exchange_->configuration()) return;
  if (!exchange_->accept(message.originator, chunk)) {
    reject(message, "exchange piece that does not fit");
  }
  if (exchange_->complete()) finish_exchange(out);
}

// [GRP-4]
ViewId Groups::Impl::next_view_id() {
  return {.configuration = current_, .next = next_, .number = ++view_number_};
}

void Groups::Impl::reject(const OrderedMessage& message, std::string_view why) {
  ++rejected_;
  if (trace_ == nullptr || !trace_->listens(TraceKind::note, TraceLevel::warn)) return;
  trace_->trace(
      {.kind = TraceKind::note,
       .level = TraceLevel::warn,
       .ring = message.configuration,
       .seq = message.seq,
       .count = rejected_,
       .text = "envelope of " + to_string(message.originator) + ": " + std::string(why) +
               " -> ignored"});
}

// The interface. ----------------------------------------------------------------------------

Groups::Groups(NodeKey self, TraceSink* trace) : impl_(std::make_unique<Impl>(self, trace)) {}
Groups::~Groups() = default;

void Groups::open_session(SessionId session, std::string_view name, GroupsOutput& out) {
  impl_->open_session(session, name, out);
}

void Groups::join(SessionId session, std::string_view group, GroupsOutput& out) {
  impl_->join(session, group, out);
}

void Groups::leave(SessionId session, std::string_view group, GroupsOutput& out) {
  impl_->leave(session, group, out);
}

void Groups::publish(SessionId session, const PublishRequest& request, GroupsOutput& out) {
  impl_->publish(session, request, out);
}

void Groups::close_session(SessionId session, Cause cause, GroupsOutput& out) {
  impl_->close_session(session, cause, out);
}

void Groups::on_message(OrderedMessage&& message, GroupsOutput& out) {
  impl_->on_message(message, out);
}

void Groups::on_configuration(const ConfigurationChange& change, GroupsOutput& out) {
  impl_->on_configuration(change, out);
}

bool Groups::gate_open() const { return impl_->gate_open(); }
const ConfigurationEvent& Groups::configuration() const { return impl_->configuration(); }

std::uint64_t Groups::unordered_bytes(SessionId session) const {
  return impl_->unordered_bytes(session);
}

std::size_t Groups::group_count() const { return impl_->directory().groups().size(); }

std::vector<std::pair<std::string, std::vector<Member>>> Groups::members(
    std::string_view group) const {
  std::vector<std::pair<std::string, std::vector<Member>>> result;
  for (const auto& [name, state] : impl_->directory().groups()) {
    if (group.empty() || name == group) result.emplace_back(name, state.members);
  }
  return result;
}

std::uint64_t Groups::rejected_envelopes() const { return impl_->rejected(); }

}  // namespace ringcast
