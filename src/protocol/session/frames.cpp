// SPDX-License-Identifier: Apache-2.0
//
// The encoding half of the session frames.
#include "protocol/session/frames.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

constexpr std::size_t text16_bytes_max = 65535;

/// Opens a frame on construction; finish() fills in its length.
class Frame {
 public:
  Frame(ByteWriter& out, FrameType type) : out_(out), start_(out.size()) {
    out_.u32(0);
    out_.u8(static_cast<std::uint8_t>(type));
  }

  /// `following`: bytes of the frame that the caller appends itself.
  void finish(std::size_t following = 0) {
    const auto length = out_.size() - start_ - frame_length_bytes + following;
    RC_ASSERT(length <= std::numeric_limits<std::uint32_t>::max());
    out_.patch_u32(start_, static_cast<std::uint32_t>(length));
  }

  [[nodiscard]] std::size_t size() const { return out_.size() - start_; }

 private:
  ByteWriter& out_;
  std::size_t start_;
};

std::uint8_t bit(bool value, unsigned position) {
  return static_cast<std::uint8_t>(value ? 1U << position : 0U);
}

std::uint32_t count32(std::size_t count) {
  RC_ASSERT(count <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(count);
}

// Sentences may come from anywhere; one that is too long is cut, not refused.
void sentence(ByteWriter& out, std::string_view text) {
  out.text16(text.substr(0, text16_bytes_max));
}

void put(ByteWriter& out, const RingId& id) {
  out.u64(id.seq);
  out.u32(id.representative.value);
  out.u32(id.boot.value);
}

void put(ByteWriter& out, const Member& member) {
  out.u32(member.node.value);
  out.text8(member.name);
}

void put(ByteWriter& out, const std::vector<Member>& members) {
  out.u32(count32(members.size()));
  for (const auto& member : members) {
    put(out, member);
  }
}

void put(ByteWriter& out, const DaemonTable& daemons) {
  out.u32(count32(daemons.size()));
  for (const auto& [node, name] : daemons) {
    out.u32(node.value);
    out.text8(name);
  }
}

void put(ByteWriter& out, const std::vector<std::string>& texts) {
  out.u32(count32(texts.size()));
  for (const auto& text : texts) {
    sentence(out, text);
  }
}

void put(ByteWriter& out, const Error& error) {
  out.u16(static_cast<std::uint16_t>(error.code));
  sentence(out, error.message);
}

void numbered(ByteWriter& out, FrameType type, std::uint64_t number) {
  Frame frame(out, type);
  out.u64(number);
  frame.finish();
}

void named(ByteWriter& out, FrameType type, std::string_view name) {
  Frame frame(out, type);
  out.text8(name);
  frame.finish();
}

void destinations(ByteWriter& out, const ShortList<std::string_view>& groups) {
  RC_ASSERT(!groups.empty());
  RC_ASSERT(groups.size() <= destinations_max);
  out.u8(static_cast<std::uint8_t>(groups.size()));
  for (const auto group : groups) {
    out.text8(group);
  }
}

}  // namespace

void encode_hello(ByteWriter& out, std::string_view name) {
  RC_ASSERT(name.size() <= name_bytes_max);
  Frame frame(out, FrameType::hello);
  out.u32(session_magic);
  out.u16(session_version_min);
  out.u16(session_version_max);
  out.text8(name);
  frame.finish();
}

void encode_join(ByteWriter& out, std::string_view group) { named(out, FrameType::join, group); }

void encode_leave(ByteWriter& out, std::string_view group) { named(out, FrameType::leave, group); }

void encode_publish_head(ByteWriter& out, const SendRequest& request) {
  Frame frame(out, FrameType::publish);
  out.u64(request.ticket);
  out.u8(static_cast<std::uint8_t>(request.service));
  out.u8(static_cast<std::uint8_t>(bit(request.echo, 0) | bit(request.confirm, 1)));
  out.u32(static_cast<std::uint32_t>(request.type));
  destinations(out, request.groups);
  frame.finish(request.payload.size());
}

void encode_status_request(ByteWriter& out, std::uint64_t request) {
  numbered(out, FrameType::status, request);
}

void encode_groups_request(ByteWriter& out, std::uint64_t request, std::string_view group) {
  Frame frame(out, FrameType::groups);
  out.u64(request);
  out.text8(group);
  frame.finish();
}

void encode_ping(ByteWriter& out, std::uint64_t request) {
  numbered(out, FrameType::ping, request);
}

void encode_goodbye(ByteWriter& out) { Frame(out, FrameType::goodbye).finish(); }

void encode_welcome(ByteWriter& out, const WelcomeInfo& info) {
  Frame frame(out, FrameType::welcome);
  out.u16(info.version);
  out.text8(info.name);
  out.text8(info.daemon);
  out.u32(info.message_bytes_max);
  out.u64(info.credit_bytes);
  put(out, info.daemons);
  frame.finish();
}

void encode_daemons(ByteWriter& out, const DaemonTable& daemons) {
  Frame frame(out, FrameType::daemons);
  put(out, daemons);
  frame.finish();
}

void encode_message_head(ByteWriter& out, const MessageEvent& event) {
  Frame frame(out, FrameType::message);
  put(out, event.configuration);
  out.u64(event.seq.value);
  out.u32(event.index);
  out.u32(event.sender_node.value);
  out.text8(event.sender_name);
  out.u8(static_cast<std::uint8_t>(event.service));
  out.u8(bit(event.transitional, 0));
  out.u32(static_cast<std::uint32_t>(event.type));
  destinations(out, event.groups);
  frame.finish(event.payload.size());
}

void encode_view(ByteWriter& out, const ViewEvent& event) {
  Frame frame(out, FrameType::view);
  out.text8(event.group);
  put(out, event.id.configuration);
  out.u8(bit(event.id.next.has_value(), 0));
  if (event.id.next) put(out, *event.id.next);
  out.u64(event.id.number);
  out.u8(static_cast<std::uint8_t>(event.cause));
  put(out, event.who);
  put(out, event.members);
  put(out, event.with_me);
  frame.finish();
}

void encode_transitional(ByteWriter& out, std::string_view group) {
  named(out, FrameType::transitional, group);
}

void encode_left(ByteWriter& out, std::string_view group) { named(out, FrameType::left, group); }

void encode_configuration(ByteWriter& out, const ConfigurationEvent& event) {
  Frame frame(out, FrameType::configuration);
  put(out, event.id);
  out.u32(count32(event.daemons.size()));
  for (const auto node : event.daemons) {
    out.u32(node.value);
  }
  frame.finish();
}

void encode_confirm(ByteWriter& out, const ConfirmEvent& event) {
  Frame frame(out, FrameType::confirm);
  out.u64(event.ticket);
  put(out, event.configuration);
  out.u64(event.seq.value);
  out.u32(event.index);
  out.u8(static_cast<std::uint8_t>(bit(event.stable, 0) | bit(event.transitional, 1)));
  frame.finish();
}

void encode_status_reply(ByteWriter& out, std::uint64_t request, const NodeStatus& status) {
  Frame frame(out, FrameType::status_reply);
  out.u64(request);
  sentence(out, status.daemon);
  sentence(out, status.cluster);
  sentence(out, status.version);
  sentence(out, status.state);
  out.u64(status.configuration.id.seq);
  sentence(out, status.configuration.id.representative);
  out.u32(status.configuration.id.boot);
  put(out, status.configuration.daemons);
  put(out, status.configuration.configured);
  out.u64(std::bit_cast<std::uint64_t>(status.uptime_s));
  out.u64(status.groups);
  out.u64(status.sessions);
  out.u32(count32(status.daemons.size()));
  for (const auto& daemon : status.daemons) {
    sentence(out, daemon.name);
    sentence(out, daemon.address);
    out.u8(bit(daemon.member, 0));
  }
  put(out, status.warnings);
  out.u32(count32(status.counters.size()));
  for (const auto& [name, value] : status.counters) {
    sentence(out, name);
    out.u64(value);
  }
  frame.finish();
}

void encode_groups_reply(
    ByteWriter& out, std::uint64_t request, const GroupList& groups, std::size_t bytes_max) {
  constexpr std::size_t member_bytes_max = 4 + 1 + name_bytes_max;
  Frame frame(out, FrameType::groups_reply);
  out.u64(request);
  const auto truncated_at = out.size();
  out.u32(0);
  const auto count_at = out.size();
  out.u32(0);
  std::uint32_t written = 0;
  for (const auto& [group, members] : groups) {
    const auto more = 1 + name_bytes_max + 4 + members.size() * member_bytes_max;
    if (frame.size() + more > bytes_max) break;
    out.text8(group);
    put(out, members);
    ++written;
  }
  out.patch_u32(truncated_at, written < groups.size() ? 1 : 0);
  out.patch_u32(count_at, written);
  frame.finish();
}

void encode_pong(ByteWriter& out, std::uint64_t request) {
  numbered(out, FrameType::pong, request);
}

void encode_refused(
    ByteWriter& out, std::uint64_t about, std::string_view subject, const Error& error) {
  Frame frame(out, FrameType::refused);
  out.u64(about);
  sentence(out, subject);
  put(out, error);
  frame.finish();
}

void encode_closed(ByteWriter& out, const Error& reason) {
  Frame frame(out, FrameType::closed);
  put(out, reason);
  frame.finish();
}

}  // namespace ringcast
