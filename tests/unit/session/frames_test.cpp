// SPDX-License-Identifier: Apache-2.0
//
// The codec of the session frames: everything comes back as it went in, and nothing that is
// broken comes back at all.
#include "protocol/session/frames.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/session/samples.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)
using samples::Bytes;

namespace {

template <class T>
T decoded(const Bytes& frame) {
  auto value = decode_server_frame(samples::body(frame));
  REQUIRE(value);
  REQUIRE(std::holds_alternative<T>(*value));
  return std::get<T>(std::move(*value));
}

template <class T>
T request(const Bytes& frame) {
  auto value = decode_request(samples::body(frame));
  REQUIRE(value);
  REQUIRE(std::holds_alternative<T>(*value));
  return std::get<T>(std::move(*value));
}

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("every sample's length field counts the bytes behind it") {
  auto frames = samples::requests();
  for (auto& frame : samples::server_frames()) {
    frames.push_back(frame);
  }
  for (const auto& frame : frames) {
    REQUIRE(peek_frame_length(frame) == frame.size() - frame_length_bytes);
  }
  REQUIRE_FALSE(peek_frame_length(samples::bytes_of("abc")));
}

TEST_CASE("the bytes of the example in docs/session.md are those of the codec") {
  const auto frames = samples::requests();
  CHECK(
      hex(frames[0]) ==
      "0d000000015243535401000100"
      "03707562");
  const auto payload = samples::bytes_of("hello");
  const SendRequest send{.ticket = 1, .groups = {"weblogs"}, .type = 0, .payload = payload};
  CHECK(
      hex(samples::publish(send)) ==
      "1d000000"
      "04"
      "0100000000000000"
      "03"
      "03"
      "00000000"
      "01"
      "077765626c6f6773"
      "68656c6c6f");
  const WelcomeInfo welcome{
      .name = "pub",
      .daemon = "a",
      .message_bytes_max = 8388608,
      .credit_bytes = 4194304,
      .daemons = {{NodeId{7}, "a"}}};
  CHECK(
      hex(Session::encode_welcome(welcome).bytes()) ==
      "1f000000810100037075620161000080000000400000000000010000000700"
      "00000161");
  const ConfirmEvent confirm{
      .ticket = 1,
      .configuration = {.seq = 17, .representative = NodeId{7}, .boot = BootId{0x5f0c9a31}},
      .seq = Seq{2}};
  CHECK(
      hex(Session::encode_event(confirm).joined().bytes()) ==
      "2600000088010000000000000011000000000000000700000031"
      "9a0c5f02000000000000000000000000");
}

TEST_CASE("requests come back as they were sent") {
  const auto frames = samples::requests();
  CHECK(request<HelloRequest>(frames[0]).name == "pub");
  CHECK(request<JoinRequest>(frames[1]).group == "weblogs");
  CHECK(request<LeaveRequest>(frames[2]).group == "weblogs");
  const auto send = request<SendRequest>(frames[3]);
  CHECK(send.ticket == 1);
  CHECK(send.groups == std::vector<std::string>{"weblogs", "#w#log1"});
  CHECK(send.service == Service::agreed);
  CHECK(send.type == -2);
  CHECK(send.echo);
  CHECK_FALSE(send.confirm);
  CHECK(samples::bytes_of(send.payload) == samples::bytes_of("hello"));
  CHECK(request<StatusRequest>(frames[4]).request == 4);
  CHECK(request<GroupsRequest>(frames[5]).request == 5);
  CHECK(request<GroupsRequest>(frames[5]).group == "weblogs");
  CHECK(request<PingRequest>(frames[6]).request == 6);
  (void)request<GoodbyeRequest>(frames[7]);
}

TEST_CASE("events come back as they were sent") {
  const auto frames = samples::server_frames();
  const auto welcome = decoded<WelcomeInfo>(frames[0]);
  CHECK(welcome.name == "pub");
  CHECK(welcome.daemon == "web1");
  CHECK(welcome.message_bytes_max == 8U << 20U);
  CHECK(welcome.credit_bytes == 4U << 20U);
  CHECK(welcome.daemons == samples::welcome().daemons);
  CHECK(welcome.version == session_version_max);
  CHECK(decoded<DaemonsFrame>(frames[1]).daemons == samples::welcome().daemons);

  const auto message = decoded<MessageFrame>(frames[2]);
  const auto sent = samples::message_event();
  CHECK(message.event.configuration == sent.configuration);
  CHECK(message.event.seq == sent.seq);
  CHECK(message.event.index == sent.index);
  CHECK(message.event.sender_node == sent.sender_node);
  CHECK(message.event.sender_name == sent.sender_name);
  CHECK(message.event.groups == sent.groups);
  CHECK(message.event.service == sent.service);
  CHECK(message.event.type == sent.type);
  CHECK(message.event.transitional);
  CHECK(samples::bytes_of(message.payload) == samples::bytes_of("payload"));

  const auto view = decoded<ViewEvent>(frames[3]);
  CHECK(view.group == "weblogs");
  CHECK(view.id == samples::view_event().id);
  CHECK(view.cause == Cause::disconnect);
  CHECK(view.who == samples::view_event().who);
  CHECK(view.members == samples::view_event().members);
  CHECK(view.with_me == samples::view_event().with_me);

  CHECK(decoded<TransitionalEvent>(frames[4]).group == "weblogs");
  CHECK(decoded<LeftEvent>(frames[5]).group == "weblogs");
  const auto configuration = decoded<ConfigurationEvent>(frames[6]);
  CHECK(configuration.id == samples::ring(17));
  CHECK(configuration.daemons == std::vector<NodeId>{NodeId{7}, NodeId{9}});
  const auto confirm = decoded<ConfirmEvent>(frames[7]);
  CHECK(confirm.ticket == 1);
  CHECK(confirm.seq == Seq{4211});
  CHECK(confirm.stable);
  CHECK_FALSE(confirm.transitional);
}

TEST_CASE("answers come back as they were sent") {
  const auto frames = samples::server_frames();
  const auto frame = decoded<StatusFrame>(frames[8]);
  const auto sent = samples::node_status();
  CHECK(frame.request == 4);
  CHECK(frame.status.daemon == sent.daemon);
  CHECK(frame.status.cluster == sent.cluster);
  CHECK(frame.status.version == sent.version);
  CHECK(frame.status.state == sent.state);
  CHECK(frame.status.configuration.id == sent.configuration.id);
  CHECK(frame.status.configuration.daemons == sent.configuration.daemons);
  CHECK(frame.status.configuration.configured == sent.configuration.configured);
  CHECK(frame.status.uptime_s == sent.uptime_s);
  CHECK(frame.status.groups == sent.groups);
  CHECK(frame.status.sessions == sent.sessions);
  CHECK(frame.status.daemons == sent.daemons);
  CHECK(frame.status.warnings == sent.warnings);
  CHECK(frame.status.counters == sent.counters);

  const auto groups = decoded<GroupsFrame>(frames[9]);
  CHECK(groups.request == 5);
  CHECK_FALSE(groups.truncated);
  REQUIRE(groups.groups.size() == 2);
  CHECK(groups.groups[0].second.size() == 2);
  CHECK(decoded<PongFrame>(frames[10]).request == 6);
  const auto refused = decoded<RefusedFrame>(frames[11]);
  CHECK(refused.about == 7);
  CHECK(refused.subject == "weblogs");
  CHECK(refused.error.code == Errc::limit_exceeded);
  CHECK(decoded<ClosedFrame>(frames[12]).reason.message == "too much of it");
}

TEST_CASE("no truncation of a frame is taken for the whole, unless it ends in a payload") {
  for (const auto& frame : samples::requests()) {
    const auto body = samples::body(frame);
    const bool has_payload = body[0] == std::byte{0x04};
    for (std::size_t length = 0; length < body.size(); ++length) {
      const bool inside_payload = has_payload && length >= body.size() - 5;
      CHECK(decode_request(body.first(length)).ok() == inside_payload);
    }
  }
  for (const auto& frame : samples::server_frames()) {
    const auto body = samples::body(frame);
    const bool has_payload = body[0] == std::byte{0x83};
    for (std::size_t length = 0; length < body.size(); ++length) {
      const bool inside_payload = has_payload && length >= body.size() - 7;
      CHECK(decode_server_frame(body.first(length)).ok() == inside_payload);
      CHECK(decode_message(body.first(length)).has_value() == inside_payload);
    }
    CHECK(decode_message(body).has_value() == has_payload);
  }
}

TEST_CASE("bytes behind a frame's end are an error, unless they are payload") {
  const auto with_tail = [](const Bytes& frame) {
    auto longer = samples::bytes_of(samples::body(frame));
    longer.push_back(std::byte{0});
    return longer;
  };
  for (const auto& frame : samples::requests()) {
    CHECK(decode_request(with_tail(frame)).ok() == (frame[4] == std::byte{0x04}));
  }
  for (const auto& frame : samples::server_frames()) {
    CHECK(decode_server_frame(with_tail(frame)).ok() == (frame[4] == std::byte{0x83}));
  }
}

TEST_CASE("any bit may flip: the outcome is a value or an error that names the frame") {
  const auto flip_all = [](const Bytes& frame, const auto& decode) {
    auto body = samples::bytes_of(samples::body(frame));
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      body[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto value = decode(std::span<const std::byte>{body});
      if (!value) CHECK(!value.error().message.empty());
      body[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  };
  for (const auto& frame : samples::requests()) {
    flip_all(frame, [](auto bytes) { return decode_request(bytes); });
  }
  for (const auto& frame : samples::server_frames()) {
    flip_all(frame, [](auto bytes) { return decode_server_frame(bytes); });
  }
}

TEST_CASE("a huge count is refused before anything is allocated for it") {
  // The counts of members, daemons, groups and texts, each overwritten by 2^32 - 1.
  for (const auto& frame : samples::server_frames()) {
    auto body = samples::bytes_of(samples::body(frame));
    for (std::size_t at = 1; at + 4 <= body.size(); ++at) {
      const auto kept = body;
      for (std::size_t i = 0; i < 4; ++i) {
        body[at + i] = std::byte{0xff};
      }
      (void)decode_server_frame(body);
      body = kept;
    }
  }
  ByteWriter daemons;
  daemons.u8(0x82);
  daemons.u32(0xffffffff);
  CHECK_FALSE(decode_server_frame(daemons.view()));
}

TEST_CASE("names that break the grammar: refused from a client, malformed from a daemon") {
  ByteWriter join;
  join.u8(0x02);
  join.text8("no spaces");
  const auto refusal = decode_request(join.view());
  REQUIRE(refusal);
  REQUIRE(std::holds_alternative<Refusal>(*refusal));
  CHECK(std::get<Refusal>(*refusal).subject == "no spaces");
  CHECK(std::get<Refusal>(*refusal).error.code == Errc::invalid_argument);

  const SendRequest send{.ticket = 9, .groups = {"good", "#half"}, .payload = {}};
  const auto publish = decode_request(samples::body(samples::publish(send)));
  REQUIRE(publish);
  REQUIRE(std::holds_alternative<Refusal>(*publish));
  CHECK(std::get<Refusal>(*publish).about == 9);

  ByteWriter left;
  left.u8(0x86);
  left.text8("esc\x1b[2J");
  CHECK_FALSE(decode_server_frame(left.view()));

  ByteWriter hello;
  encode_hello(hello, "a#b");
  const auto greeting = decode_request(hello.view().subspan(frame_length_bytes));
  REQUIRE_FALSE(greeting);
  CHECK(greeting.error().code == Errc::invalid_argument);
}

TEST_CASE("a hello of another version or another protocol is told apart") {
  const auto hello = [](std::uint32_t magic, std::uint16_t low, std::uint16_t high) {
    ByteWriter out;
    out.u8(0x01);
    out.u32(magic);
    out.u16(low);
    out.u16(high);
    out.text8("");
    return decode_request(out.view());
  };
  CHECK(hello(session_magic, 1, 9));
  CHECK(hello(session_magic, 2, 9).error().code == Errc::unsupported_version);
  CHECK(hello(session_magic, 0, 0).error().code == Errc::unsupported_version);
  CHECK(hello(session_magic + 1, 1, 1).error().code == Errc::malformed);
}

TEST_CASE("an error code from a newer daemon keeps its sentence") {
  ByteWriter out;
  out.u8(0x8d);
  out.u16(999);
  out.text16("moved to another host");
  const auto frame = decode_server_frame(out.view());
  REQUIRE(frame);
  CHECK(std::get<ClosedFrame>(*frame).reason.code == Errc::io);
  CHECK(std::get<ClosedFrame>(*frame).reason.message == "moved to another host");
}

TEST_CASE("a sentence too long for its field is cut, not refused") {
  ByteWriter out;
  encode_closed(out, Error{Errc::io, std::string(100000, 'x')});
  const auto frame = decode_server_frame(out.view().subspan(frame_length_bytes));
  REQUIRE(frame);
  CHECK(std::get<ClosedFrame>(*frame).reason.message.size() == 65535);
}

TEST_CASE("a list of groups beyond the largest frame is cut and says so") {
  const std::vector<Member> members(100, samples::member(7, std::string(64, 'm')));
  const GroupList groups = {{"a", members}, {"b", members}, {"c", members}};
  constexpr std::size_t bytes_max = 20000;
  ByteWriter out;
  encode_groups_reply(out, 5, groups, bytes_max);
  CHECK(out.size() <= bytes_max);
  const auto frame = decode_server_frame(out.view().subspan(frame_length_bytes));
  REQUIRE(frame);
  CHECK(std::get<GroupsFrame>(*frame).truncated);
  CHECK(std::get<GroupsFrame>(*frame).groups.size() == 2);
}
