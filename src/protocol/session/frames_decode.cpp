// SPDX-License-Identifier: Apache-2.0
//
// The decoding half of the session frames: hostile bytes in, checked values out. Each body is
// read by one function that yields nothing when the bytes do not follow its table in
// docs/session.md; the caller turns that into an error that names the frame.
#include <algorithm>
#include <bit>

#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

constexpr std::size_t member_bytes_min = 4 + 1 + 1;

Error malformed(std::string_view what) {
  return Error{Errc::malformed, "session frame: " + std::string(what)};
}

// Like the ByteReader it wraps, it turns bad at the first thing that breaks a rule.
class BodyReader {
 public:
  explicit BodyReader(std::span<const std::byte> bytes) : reader_(bytes) {}

  std::uint8_t u8() { return reader_.u8(); }
  std::uint16_t u16() { return reader_.u16(); }
  std::uint32_t u32() { return reader_.u32(); }
  std::uint64_t u64() { return reader_.u64(); }
  std::string_view text8() { return reader_.text8(); }
  std::string text16() { return std::string(reader_.text16()); }

  std::string_view word_view() {
    const auto text = reader_.text8();
    require(is_valid_word(text));
    return text;
  }
  std::string word() { return std::string(word_view()); }

  std::string_view destination() {
    const auto text = reader_.text8();
    const bool is_private = !text.empty() && text.front() == '#';
    require(is_private ? parse_member(text).ok() : is_valid_word(text));
    return text;
  }

  /// A byte of which only the lowest `bits` may be set.
  std::uint8_t flags(unsigned bits) {
    const auto value = reader_.u8();
    require((static_cast<unsigned>(value) >> bits) == 0);
    return value;
  }

  /// An enumerator's value from 0 to `last`.
  std::uint8_t enumerator(unsigned last) {
    const auto value = reader_.u8();
    require(value <= last);
    return value;
  }

  /// A u32 count of items that take at least `item_bytes_min` each; 0 when that cannot be.
  std::size_t count(std::size_t item_bytes_min) {
    const std::size_t value = reader_.u32();
    require(value <= reader_.remaining() / item_bytes_min);
    return ok() ? value : 0;
  }

  std::span<const std::byte> rest() { return reader_.bytes(reader_.remaining()); }

  void require(bool condition) { sound_ = sound_ && condition; }
  [[nodiscard]] bool ok() const { return sound_ && reader_.ok(); }
  [[nodiscard]] bool done() const { return sound_ && reader_.done(); }

 private:
  ByteReader reader_;
  bool sound_{true};
};

RingId read_ring(BodyReader& in) {
  RingId id;
  id.seq = in.u64();
  id.representative = NodeId{in.u32()};
  id.boot = BootId{in.u32()};
  return id;
}

std::vector<Member> read_members(BodyReader& in) {
  const auto count = in.count(member_bytes_min);
  std::vector<Member> members;
  members.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Member member;
    member.node = NodeId{in.u32()};
    member.name = in.word();
    members.push_back(std::move(member));
  }
  return members;
}

DaemonTable read_daemons(BodyReader& in) {
  const auto count = in.count(member_bytes_min);
  DaemonTable daemons;
  daemons.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const NodeId node{in.u32()};
    daemons.emplace_back(node, in.word());
  }
  return daemons;
}

std::vector<std::string> read_texts(BodyReader& in) {
  const auto count = in.count(2);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    texts.push_back(in.text16());
  }
  return texts;
}

Error read_error(BodyReader& in) {
  const auto code = in.u16();
  Error error;
  error.message = in.text16();
  // A newer daemon may know more codes; its sentence still tells the reader.
  const bool known = code >= static_cast<std::uint16_t>(Errc::invalid_argument) &&
                     code <= static_cast<std::uint16_t>(Errc::corrupt);
  error.code = known ? static_cast<Errc>(code) : Errc::io;
  return error;
}

// Daemon to client.

WelcomeInfo read_welcome(BodyReader& in) {
  WelcomeInfo info;
  info.version = in.u16();
  info.name = in.word();
  info.daemon = in.word();
  info.message_bytes_max = in.u32();
  info.credit_bytes = in.u64();
  info.daemons = read_daemons(in);
  in.require(info.message_bytes_max <= session_message_bytes_max);
  return info;
}

void read_message(BodyReader& in, MessageFrame& frame) {
  auto& event = frame.event;
  event.configuration = read_ring(in);
  event.seq = Seq{in.u64()};
  event.index = in.u32();
  event.sender_node = NodeId{in.u32()};
  event.sender_name = in.word_view();
  event.service = static_cast<Service>(in.enumerator(static_cast<unsigned>(Service::safe)));
  event.transitional = in.flags(1) != 0;
  event.type = static_cast<std::int32_t>(in.u32());
  const std::size_t count = in.u8();
  in.require(count >= 1 && count <= destinations_max);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    event.groups.push_back(in.destination());
  }
  frame.payload = in.rest();
}

ViewEvent read_view(BodyReader& in) {
  ViewEvent event;
  event.group = in.word();
  event.id.configuration = read_ring(in);
  if (in.flags(1) != 0) event.id.next = read_ring(in);
  event.id.number = in.u64();
  event.cause = static_cast<Cause>(in.enumerator(static_cast<unsigned>(Cause::network)));
  event.who = read_members(in);
  event.members = read_members(in);
  event.with_me = read_members(in);
  return event;
}

ConfigurationEvent read_configuration(BodyReader& in) {
  ConfigurationEvent event;
  event.id = read_ring(in);
  const auto count = in.count(4);
  event.daemons.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    event.daemons.push_back(NodeId{in.u32()});
  }
  return event;
}

ConfirmEvent read_confirm(BodyReader& in) {
  ConfirmEvent event;
  event.ticket = in.u64();
  event.configuration = read_ring(in);
  event.seq = Seq{in.u64()};
  event.index = in.u32();
  const auto flags = in.flags(2);
  event.stable = (flags & 1U) != 0;
  event.transitional = (flags & 2U) != 0;
  return event;
}

std::vector<DaemonInfo> read_daemon_infos(BodyReader& in) {
  const auto count = in.count(5);
  std::vector<DaemonInfo> daemons;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    DaemonInfo info;
    info.name = in.text16();
    info.address = in.text16();
    info.member = in.flags(1) != 0;
    daemons.push_back(std::move(info));
  }
  return daemons;
}

StatusFrame read_status(BodyReader& in) {
  StatusFrame frame;
  auto& status = frame.status;
  frame.request = in.u64();
  status.daemon = in.text16();
  status.cluster = in.text16();
  status.version = in.text16();
  status.state = in.text16();
  status.configuration.id.seq = in.u64();
  status.configuration.id.representative = in.text16();
  status.configuration.id.boot = in.u32();
  status.configuration.daemons = read_texts(in);
  status.configuration.configured = read_texts(in);
  status.uptime_s = std::bit_cast<double>(in.u64());
  status.groups = in.u64();
  status.sessions = in.u64();
  status.daemons = read_daemon_infos(in);
  status.warnings = read_texts(in);
  const auto count = in.count(2 + 8);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    auto name = in.text16();
    status.counters.emplace_back(std::move(name), in.u64());
  }
  return frame;
}

GroupsFrame read_groups(BodyReader& in) {
  GroupsFrame frame;
  frame.request = in.u64();
  const auto truncated = in.u32();
  in.require(truncated <= 1);
  frame.truncated = truncated != 0;
  const auto count = in.count(1 + 1 + 4);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    auto group = in.word();
    frame.groups.emplace_back(std::move(group), read_members(in));
  }
  return frame;
}

RefusedFrame read_refused(BodyReader& in) {
  RefusedFrame frame;
  frame.about = in.u64();
  frame.subject = in.text16();
  frame.error = read_error(in);
  return frame;
}

// Nothing: no frame of a daemon has this type.
std::optional<ServerFrame> read_server_frame(std::uint8_t type, BodyReader& in) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::welcome:
      return read_welcome(in);
    case FrameType::daemons:
      return DaemonsFrame{.daemons = read_daemons(in)};
    case FrameType::message: {
      MessageFrame frame;
      read_message(in, frame);
      return frame;
    }
    case FrameType::view:
      return read_view(in);
    case FrameType::transitional:
      return TransitionalEvent{.group = in.word()};
    case FrameType::left:
      return LeftEvent{.group = in.word()};
    case FrameType::configuration:
      return read_configuration(in);
    case FrameType::confirm:
      return read_confirm(in);
    case FrameType::status_reply:
      return read_status(in);
    case FrameType::groups_reply:
      return read_groups(in);
    case FrameType::pong:
      return PongFrame{.request = in.u64()};
    case FrameType::refused:
      return read_refused(in);
    case FrameType::closed:
      return ClosedFrame{.reason = read_error(in)};
    case FrameType::hello:
    case FrameType::join:
    case FrameType::leave:
    case FrameType::publish:
    case FrameType::status:
    case FrameType::groups:
    case FrameType::ping:
    case FrameType::goodbye:
      break;
  }
  return std::nullopt;
}

// Client to daemon.

Result<ClientRequest> read_hello(BodyReader& in) {
  const auto magic = in.u32();
  const auto version_min = in.u16();
  const auto version_max = in.u16();
  if (!in.ok() || magic != session_magic) return malformed("hello without the magic [SES-4]");
  if (version_min > session_version_max || version_max < session_version_min) {
    return Error{
        Errc::unsupported_version,
        "the client speaks session versions " + std::to_string(version_min) + " to " +
            std::to_string(version_max) + ", this daemon " + std::to_string(session_version_min) +
            " to " + std::to_string(session_version_max) + "; upgrade the older of the two"};
  }
  const auto name = in.text8();
  if (!in.done()) return malformed("hello does not follow its table [SES-4]");
  if (!name.empty() && !is_valid_word(name)) {
    return Error{
        Errc::invalid_argument, "a private name is 1 to 64 letters, digits, '_', '.', ':' or '-'"};
  }
  return ClientRequest{HelloRequest{.name = std::string(name)}};
}

template <class Request>
Result<ClientRequest> read_membership(BodyReader& in) {
  const auto group = in.text8();
  if (!in.done()) return malformed("join or leave does not follow its table [SES-6]");
  const auto checked = check_group(group);
  if (!checked) {
    return ClientRequest{
        Refusal{.about = 0, .subject = std::string(group), .error = checked.error()}};
  }
  return ClientRequest{Request{.group = std::string(group)}};
}

Result<ClientRequest> read_publish(BodyReader& in) {
  SendRequest request;
  request.ticket = in.u64();
  request.service = static_cast<Service>(in.enumerator(static_cast<unsigned>(Service::safe)));
  const auto flags = in.flags(2);
  request.echo = (flags & 1U) != 0;
  request.confirm = (flags & 2U) != 0;
  request.type = static_cast<std::int32_t>(in.u32());
  const std::size_t count = in.u8();
  in.require(count >= 1 && count <= destinations_max);
  if (!in.ok()) return malformed("publish does not follow its table [SES-9]");
  request.groups.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    request.groups.push_back(in.text8());
  }
  request.payload = in.rest();
  if (!in.done()) return malformed("publish does not follow its table [SES-9]");
  for (const auto group : request.groups) {
    const auto checked = check_destination(group);
    if (!checked) {
      return ClientRequest{
          Refusal{.about = request.ticket, .subject = {}, .error = checked.error()}};
    }
  }
  return ClientRequest{std::move(request)};
}

Result<ClientRequest> read_groups_request(BodyReader& in) {
  GroupsRequest request;
  request.request = in.u64();
  request.group = in.text8();
  if (!in.done()) return malformed("groups does not follow its table [SES-12]");
  const auto checked = request.group.empty() ? Result<void>{} : check_group(request.group);
  if (!checked) {
    return ClientRequest{
        Refusal{.about = request.request, .subject = {}, .error = checked.error()}};
  }
  return ClientRequest{std::move(request)};
}

template <class Request>
Result<ClientRequest> read_numbered(BodyReader& in) {
  Request request{.request = in.u64()};
  if (!in.done()) return malformed("status or ping does not follow its table [SES-12]");
  return ClientRequest{request};
}

}  // namespace

Result<ClientRequest> decode_request(std::span<const std::byte> frame) {
  BodyReader in(frame);
  const auto type = in.u8();
  if (!in.ok()) return malformed("empty frame [SES-1]");
  switch (static_cast<FrameType>(type)) {
    case FrameType::hello:
      return read_hello(in);
    case FrameType::join:
      return read_membership<JoinRequest>(in);
    case FrameType::leave:
      return read_membership<LeaveRequest>(in);
    case FrameType::publish:
      return read_publish(in);
    case FrameType::status:
      return read_numbered<StatusRequest>(in);
    case FrameType::groups:
      return read_groups_request(in);
    case FrameType::ping:
      return read_numbered<PingRequest>(in);
    case FrameType::goodbye:
      if (!in.done()) return malformed("goodbye with a body [SES-13]");
      return ClientRequest{GoodbyeRequest{}};
    case FrameType::welcome:
    case FrameType::daemons:
    case FrameType::message:
    case FrameType::view:
    case FrameType::transitional:
    case FrameType::left:
    case FrameType::configuration:
    case FrameType::confirm:
    case FrameType::status_reply:
    case FrameType::groups_reply:
    case FrameType::pong:
    case FrameType::refused:
    case FrameType::closed:
      break;
  }
  return malformed("no client sends frames of type " + std::to_string(type) + " [SES-2]");
}

Result<ServerFrame> decode_server_frame(std::span<const std::byte> frame) {
  BodyReader in(frame);
  const auto type = in.u8();
  if (!in.ok()) return malformed("empty frame [SES-1]");
  auto value = read_server_frame(type, in);
  if (!value) {
    return malformed("no daemon sends frames of type " + std::to_string(type) + " [SES-2]");
  }
  if (!in.done()) {
    return malformed(
        "a frame of type " + std::to_string(type) + " does not follow its table [SES-2]");
  }
  return std::move(*value);
}

std::optional<MessageFrame> decode_message(std::span<const std::byte> frame) {
  std::optional<MessageFrame> message;
  BodyReader in(frame);
  if (static_cast<FrameType>(in.u8()) != FrameType::message) return message;
  read_message(in, message.emplace());
  if (!in.done()) message.reset();
  return message;
}

}  // namespace ringcast
