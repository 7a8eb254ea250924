// SPDX-License-Identifier: Apache-2.0
//
// The frames between a client and its daemon, and their codec: docs/session.md as code, used
// by both ends. A frame is u32 length of the rest, u8 type, body; everything little-endian.
//
// Encoders append one whole frame to a writer; decoders take one whole frame without its
// length and return a fully checked value or an error that names what is broken. Every count
// is compared with the bytes that are left before anything is allocated for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ringcast/names.hpp"
#include "ringcast/result.hpp"
#include "ringcast/service.hpp"
#include "ringcast/status.hpp"
#include "ringcast/version.hpp"

#include "protocol/base/bytes.hpp"
#include "protocol/base/client_events.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/short_list.hpp"

namespace ringcast {

inline constexpr std::uint32_t session_magic = 0x54534352;  ///< "RCST" as bytes on the socket
inline constexpr std::size_t frame_length_bytes = 4;        ///< the length itself
inline constexpr std::size_t hello_frame_bytes_max = 256;   ///< length before the hello [SES-4]
inline constexpr std::size_t destinations_max = 64;         ///< groups of one publish [SES-9]
/// Bytes of a publish before its payload, at most, without the length.
inline constexpr std::size_t publish_head_bytes_max =
    1 + 8 + 1 + 1 + 4 + 1 + destinations_max * (1 + destination_bytes_max);
/// Largest message_bytes_max a daemon may be configured with.
inline constexpr std::size_t session_message_bytes_max = std::size_t{64} << 20U;
/// A publish longer than the limit is skipped up to this length; beyond it the session ends.
inline constexpr std::size_t skipped_frame_bytes_max = std::size_t{1} << 30U;
/// Largest frame a daemon sends.
inline constexpr std::size_t server_frame_bytes_max = std::size_t{128} << 20U;

static_assert(session_message_bytes_max + publish_head_bytes_max < skipped_frame_bytes_max);
static_assert(2 * session_message_bytes_max <= server_frame_bytes_max);

enum class FrameType : std::uint8_t {
  hello = 0x01,
  join = 0x02,
  leave = 0x03,
  publish = 0x04,
  status = 0x05,
  groups = 0x06,
  ping = 0x07,
  goodbye = 0x08,
  welcome = 0x81,
  daemons = 0x82,
  message = 0x83,
  view = 0x84,
  transitional = 0x85,
  left = 0x86,
  configuration = 0x87,
  confirm = 0x88,
  status_reply = 0x89,
  groups_reply = 0x8a,
  pong = 0x8b,
  refused = 0x8c,
  closed = 0x8d,
};

// What a client asks for, checked as far as one session can check it. Spans and views refer to
// the decoded frame.
struct HelloRequest {
  std::string name;  ///< empty: make one up
};
struct JoinRequest {
  std::string group;
};
struct LeaveRequest {
  std::string group;
};
struct SendRequest {
  std::uint64_t ticket{0};
  ShortList<std::string_view> groups;
  Service service{Service::agreed};
  std::int32_t type{0};
  bool echo{true};
  bool confirm{true};
  std::span<const std::byte> payload;
};
struct StatusRequest {
  std::uint64_t request{0};
};
struct GroupsRequest {
  std::uint64_t request{0};
  std::string group;
};
/// Answered by a pong when everything before it was taken.
struct PingRequest {
  std::uint64_t request{0};
};
struct GoodbyeRequest {};
/// Not a frame: a request that was understood and cannot be carried out. Send
/// encode_refused(about, subject, error); the session goes on. [SES-7]
struct Refusal {
  std::uint64_t about{0};  ///< ticket or request number [SES-8], or 0
  std::string subject;     ///< the group of a join or leave, or empty
  Error error;
};

using ClientRequest = std::variant<
    HelloRequest,
    JoinRequest,
    LeaveRequest,
    SendRequest,
    StatusRequest,
    GroupsRequest,
    PingRequest,
    GoodbyeRequest,
    Refusal>;

using DaemonTable = std::vector<std::pair<NodeId, std::string>>;
using GroupList = std::vector<std::pair<std::string, std::vector<Member>>>;

/// What a new client is told first.
struct WelcomeInfo {
  std::string name;    ///< the private name it got
  std::string daemon;  ///< ours
  std::uint32_t message_bytes_max{0};
  std::uint64_t credit_bytes{0};
  DaemonTable daemons;  ///< every configured daemon
  std::uint16_t version{session_version_max};
};

struct DaemonsFrame {
  DaemonTable daemons;
};
struct MessageFrame {
  MessageEvent event;  ///< its payload is empty: see `payload`
  std::span<const std::byte> payload;
};
struct StatusFrame {
  std::uint64_t request{0};
  NodeStatus status;
};
struct GroupsFrame {
  std::uint64_t request{0};
  bool truncated{false};  ///< there was more than a frame can hold
  GroupList groups;
};
struct PongFrame {
  std::uint64_t request{0};
};
struct RefusedFrame {
  std::uint64_t about{0};
  std::string subject;
  Error error;
};
struct ClosedFrame {
  Error reason;
};

/// Members carry no SessionId on the socket: after decoding it is 0. A message refers to the
/// decoded frame, all others have what they say.
using ServerFrame = std::variant<
    WelcomeInfo,
    DaemonsFrame,
    MessageFrame,
    ViewEvent,
    TransitionalEvent,
    LeftEvent,
    ConfigurationEvent,
    ConfirmEvent,
    StatusFrame,
    GroupsFrame,
    PongFrame,
    RefusedFrame,
    ClosedFrame>;

/// The length field at the start of `bytes`, nothing when fewer than four are there.
inline std::optional<std::uint32_t> peek_frame_length(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto length = reader.u32();
  if (!reader.ok()) return std::nullopt;
  return length;
}

// Client to daemon. REQUIRES: names and counts within their documented limits.
void encode_hello(ByteWriter& out, std::string_view name);
void encode_join(ByteWriter& out, std::string_view group);
void encode_leave(ByteWriter& out, std::string_view group);
/// All of a publish frame but its payload, which must follow. Uses payload for its size only.
void encode_publish_head(ByteWriter& out, const SendRequest& request);
void encode_status_request(ByteWriter& out, std::uint64_t request);
void encode_groups_request(ByteWriter& out, std::uint64_t request, std::string_view group);
void encode_ping(ByteWriter& out, std::uint64_t request);
void encode_goodbye(ByteWriter& out);

/// `frame` starts with the type. Errors: malformed, unsupported_version. A well-formed request
/// with a bad name becomes a Refusal; a hello with one is an error (invalid_argument).
Result<ClientRequest> decode_request(std::span<const std::byte> frame);

// Daemon to client.
void encode_welcome(ByteWriter& out, const WelcomeInfo& info);
void encode_daemons(ByteWriter& out, const DaemonTable& daemons);
/// All of a message frame but its payload, which must follow.
void encode_message_head(ByteWriter& out, const MessageEvent& event);
void encode_view(ByteWriter& out, const ViewEvent& event);
void encode_transitional(ByteWriter& out, std::string_view group);
void encode_left(ByteWriter& out, std::string_view group);
void encode_configuration(ByteWriter& out, const ConfigurationEvent& event);
void encode_confirm(ByteWriter& out, const ConfirmEvent& event);
void encode_status_reply(ByteWriter& out, std::uint64_t request, const NodeStatus& status);
/// Stops, and says so, before the frame would exceed `bytes_max`.
void encode_groups_reply(
    ByteWriter& out,
    std::uint64_t request,
    const GroupList& groups,
    std::size_t bytes_max = server_frame_bytes_max);
void encode_pong(ByteWriter& out, std::uint64_t request);
void encode_refused(
    ByteWriter& out, std::uint64_t about, std::string_view subject, const Error& error);
void encode_closed(ByteWriter& out, const Error& reason);

/// `frame` starts with the type. Errors: malformed.
Result<ServerFrame> decode_server_frame(std::span<const std::byte> frame);

/// The frame of a message, without the way through a variant; nothing when it is another frame or
/// malformed: decode_server_frame() knows.
std::optional<MessageFrame> decode_message(std::span<const std::byte> frame);

}  // namespace ringcast
