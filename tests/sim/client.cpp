// SPDX-License-Identifier: Apache-2.0
#include "sim/client.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast::sim {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr Duration write_retry{std::chrono::milliseconds{1}};

}  // namespace

SimClient::SimClient(
    Cluster& cluster,
    History& history,
    std::size_t host,
    std::optional<ProcessIndex> process,
    std::uint64_t tickets_before)
    : cluster_(cluster),
      history_(history),
      host_(host),
      client_(history.open_session(cluster.name(host), process, cluster.now()).client),
      connection_(cluster.connect(host, *this)),
      ticket_(tickets_before) {}

void SimClient::hello(std::string_view name) {
  ByteWriter frame;
  encode_hello(frame, name);
  write(frame);
}

void SimClient::join(const std::string& group) {
  groups_.insert(group);
  asked_.insert(group);
  history_.add(client_, cluster_.now(), AskedJoin{group});
  ByteWriter frame;
  encode_join(frame, group);
  write(frame);
}

void SimClient::leave(const std::string& group) {
  asked_.insert(group);
  history_.add(client_, cluster_.now(), AskedLeave{group});
  ByteWriter frame;
  encode_leave(frame, group);
  write(frame);
}

void SimClient::publish(const PublishOptions& options) {
  Published published;
  published.ticket = ++ticket_;
  published.id = {.client = client_, .number = ++number_};
  published.groups = options.groups;
  published.service = options.service;
  published.echo = options.echo;
  published.confirm = options.confirm;
  const BufferRef text = BufferRef::copy_of(options.text);
  std::vector<std::byte> payload(text.bytes().begin(), text.bytes().end());
  if (payload.empty()) payload = make_payload(published.id, options.size);
  published.size = payload.size();
  if (options.confirm) unconfirmed_.insert(published.ticket);

  SendRequest request;
  request.ticket = published.ticket;
  request.groups = options.groups;
  request.service = options.service;
  request.echo = options.echo;
  request.confirm = options.confirm;
  request.payload = payload;
  ByteWriter frame;
  encode_publish_head(frame, request);
  frame.bytes(payload);
  history_.add(client_, cluster_.now(), std::move(published));
  write(frame);
}

void SimClient::publish_part(const PublishOptions& options, double share) {
  const std::vector<std::byte> payload(options.size);
  SendRequest request;
  request.ticket = ticket_ + 1;
  request.groups = options.groups;
  request.payload = payload;
  ByteWriter frame;
  encode_publish_head(frame, request);
  frame.bytes(payload);
  const auto size = static_cast<std::size_t>(static_cast<double>(frame.size()) * share);
  send_raw(frame.view().first(std::min(size, frame.size() - 1)));
}

void SimClient::ask(Question what, const std::string& group) {
  questions_.push_back({.what = what, .number = ++ticket_, .group = group});
  ByteWriter frame;
  switch (what) {
    case Question::status:
      encode_status_request(frame, ticket_);
      break;
    case Question::groups:
      encode_groups_request(frame, ticket_, group);
      break;
    case Question::ping:
      encode_ping(frame, ticket_);
      break;
  }
  write(frame);
}

void SimClient::take_answer(Question what, std::uint64_t number, bool makes_sense) {
  const bool fits = !questions_.empty() && questions_.front().what == what &&
                    questions_.front().number == number && makes_sense;
  if (!fits) record().wrong_answers.push_back(number);
  if (!questions_.empty()) questions_.pop_front();
}

void SimClient::goodbye() {
  said_goodbye_ = true;
  ByteWriter frame;
  encode_goodbye(frame);
  write(frame);
}

void SimClient::hang_up() {
  if (!is_open()) return;
  cluster_.client_hang_up(connection_);
  // What it wrote before is still read, its goodbye among it perhaps.
  end(said_goodbye_ ? SessionEnd::goodbye : SessionEnd::hung_up, {});
}

void SimClient::send_raw(std::span<const std::byte> bytes) {
  output_.insert(output_.end(), bytes.begin(), bytes.end());
  flush();
}

void SimClient::start_reading() {
  reading_ = true;
  if (is_open()) on_readable();
}

void SimClient::write(const ByteWriter& frame) { send_raw(frame.view()); }

void SimClient::flush() {
  while (unsent_bytes() > 0 && is_open()) {
    const std::size_t most = std::min<std::size_t>(unsent_bytes(), std::size_t{64} << 10U);
    const std::size_t count =
        cluster_.client_write(connection_, std::span{output_}.subspan(taken_, most));
    taken_ += count;
    if (count == 0) break;
  }
  if (unsent_bytes() == 0) {
    output_.clear();
    taken_ = 0;
  }
  if (unsent_bytes() == 0 || !is_open() || retry_armed_) return;
  retry_armed_ = true;
  cluster_.after(write_retry, [this] {
    retry_armed_ = false;
    flush();
  });
}

bool SimClient::is_quiet() const {
  if (!is_open()) return true;
  return is_welcome() && reading_ && unsent_bytes() == 0 && input_.empty() && asked_.empty() &&
         unconfirmed_.empty() && questions_.empty() && cluster_.is_drained(connection_);
}

void SimClient::on_readable() {
  if (!reading_ || !is_open()) return;
  take_input(cluster_.client_read(connection_, std::size_t{64} << 10U));
}

void SimClient::on_hung_up(bool cut_off) {
  if (!is_open()) return;
  record().cut_off = cut_off;
  // What reached the socket before is still read, as a client that comes to it later would.
  take_input(cluster_.client_read(connection_, std::size_t{1} << 30U));
  if (is_open()) end(said_goodbye_ ? SessionEnd::goodbye : SessionEnd::lost, {});
}

void SimClient::take_input(std::vector<std::byte> bytes) {
  if (input_.empty()) {
    input_ = std::move(bytes);
  } else {
    input_.insert(input_.end(), bytes.begin(), bytes.end());
  }
  take_frames();
}

void SimClient::take_frames() {
  std::size_t at = 0;
  while (is_open()) {
    const std::span<const std::byte> rest = std::span<const std::byte>{input_}.subspan(at);
    const std::optional<std::uint32_t> length = peek_frame_length(rest);
    if (!length || rest.size() < frame_length_bytes + *length) break;
    const Result<ServerFrame> frame =
        decode_server_frame(rest.subspan(frame_length_bytes, *length));
    if (!frame.ok()) {
      end(SessionEnd::closed, {});  // C2 reports it: closed without a reason
      break;
    }
    take(*frame);
    at += frame_length_bytes + *length;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(at));
}

void SimClient::take(const ServerFrame& frame) {
  const auto add = [this](ClientHistoryEvent event) {
    history_.add(client_, cluster_.now(), std::move(event));
  };
  std::visit(
      Overloaded{
          [&](const WelcomeInfo& info) {
            welcome_ = info;
            record().name = info.name;
          },
          [&](const MessageFrame& message) {
            const Content content = look_into(message.payload);
            add(Received{
                .event = ReceivedMessage(message.event),
                .payload = content.payload,
                .hash = content.hash});
          },
          [&](const ViewEvent& view) {
            const auto is_me = [&](const Member& member) {
              return member.node == record().node && member.name == record().name;
            };
            if (std::any_of(view.who.begin(), view.who.end(), is_me)) asked_.erase(view.group);
            add(view);
          },
          [&](const TransitionalEvent& signal) { add(signal); },
          [&](const LeftEvent& left) {
            groups_.erase(left.group);
            asked_.erase(left.group);
            add(left);
          },
          [&](const ConfigurationEvent& change) { add(change); },
          [&](const ConfirmEvent& confirm) {
            unconfirmed_.erase(confirm.ticket);
            add(confirm);
          },
          [&](const RefusedFrame& refused) {
            unconfirmed_.erase(refused.about);
            asked_.erase(refused.subject);
            if (refused.error.code == Errc::not_member) groups_.erase(refused.subject);
            add(Refused{
                .about = refused.about, .subject = refused.subject, .code = refused.error.code});
          },
          [&](const ClosedFrame& closed) {
            end(said_goodbye_ ? SessionEnd::goodbye : SessionEnd::closed, closed.reason.message);
          },
          [](const DaemonsFrame&) {},
          [&](const StatusFrame& status) {
            take_answer(Question::status, status.request, status.status.daemon == record().daemon);
          },
          [&](const GroupsFrame& groups) {
            const std::string only = questions_.empty() ? "" : questions_.front().group;
            const bool fits =
                std::all_of(groups.groups.begin(), groups.groups.end(), [&](const auto& group) {
                  return (only.empty() || group.first == only) && !group.second.empty();
                });
            take_answer(Question::groups, groups.request, fits);
          },
          [&](const PongFrame& pong) { take_answer(Question::ping, pong.request, true); }},
      frame);
  if (listener_) listener_(*this, frame);
}

void SimClient::end(SessionEnd how, std::string reason) {
  record().end = how;
  record().ended = cluster_.now();
  record().reason = std::move(reason);
}

}  // namespace ringcast::sim
