// SPDX-License-Identifier: Apache-2.0
//
// One sample of every frame, for tests that break frames in all the ways there are.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/session/frames.hpp"
#include "protocol/session/session.hpp"

namespace ringcast::samples {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text.data(), text.size()});
  return Bytes(bytes.begin(), bytes.end());
}

inline Bytes bytes_of(std::span<const std::byte> bytes) {
  return Bytes(bytes.begin(), bytes.end());
}

template <class Encode>
Bytes frame(Encode encode) {
  ByteWriter out;
  encode(out);
  return bytes_of(out.view());
}

/// Without the length in front.
inline std::span<const std::byte> body(const Bytes& frame) {
  return std::span<const std::byte>{frame}.subspan(frame_length_bytes);
}

inline Bytes publish(const SendRequest& request) {
  auto bytes = frame([&](ByteWriter& out) { encode_publish_head(out, request); });
  bytes.insert(bytes.end(), request.payload.begin(), request.payload.end());
  return bytes;
}

inline RingId ring(std::uint64_t seq) {
  return RingId{.seq = seq, .representative = NodeId{0x11223344}, .boot = BootId{0x5f0c9a31}};
}

inline Member member(std::uint32_t node, std::string name) {
  return Member{.node = NodeId{node}, .name = std::move(name), .session = SessionId{0}};
}

inline MessageEvent message_event() {
  return MessageEvent{
      .configuration = ring(17),
      .seq = Seq{4211},
      .index = 3,
      .sender_node = NodeId{7},
      .sender_name = "pub",
      .groups = {"weblogs", "#w#log1"},
      .service = Service::safe,
      .type = -5,
      .transitional = true,
      .payload = BufferRef::copy_of("payload")};
}

inline ViewEvent view_event() {
  return ViewEvent{
      .group = "weblogs",
      .id = ViewId{.configuration = ring(17), .next = ring(21), .number = 3},
      .cause = Cause::disconnect,
      .who = {member(7, "pub")},
      .members = {member(7, "a"), member(9, "b")},
      .with_me = {member(9, "b")}};
}

inline NodeStatus node_status() {
  NodeStatus status;
  status.daemon = "web1";
  status.cluster = "demo";
  status.version = "0.1.0";
  status.state = "operational";
  status.configuration.id = {.seq = 17, .representative = "web1", .boot = 0x5f0c9a31};
  status.configuration.daemons = {"web1", "log1"};
  status.configuration.configured = {"log1", "log2", "web1"};
  status.uptime_s = 12.5;
  status.groups = 2;
  status.sessions = 3;
  status.daemons = {{.name = "web1", .address = "127.0.0.1:4913", .member = true}};
  status.warnings = {"log2 has not been seen"};
  status.counters = {{"packets_received", 12345678901}, {"tokens", 7}};
  return status;
}

inline std::vector<Bytes> requests() {
  const auto payload = bytes_of("hello");
  const SendRequest send{
      .ticket = 1,
      .groups = {"weblogs", "#w#log1"},
      .service = Service::agreed,
      .type = -2,
      .echo = true,
      .confirm = false,
      .payload = payload};
  return {
      frame([](ByteWriter& out) { encode_hello(out, "pub"); }),
      frame([](ByteWriter& out) { encode_join(out, "weblogs"); }),
      frame([](ByteWriter& out) { encode_leave(out, "weblogs"); }),
      publish(send),
      frame([](ByteWriter& out) { encode_status_request(out, 4); }),
      frame([](ByteWriter& out) { encode_groups_request(out, 5, "weblogs"); }),
      frame([](ByteWriter& out) { encode_ping(out, 6); }),
      frame([](ByteWriter& out) { encode_goodbye(out); })};
}

inline WelcomeInfo welcome() {
  return WelcomeInfo{
      .name = "pub",
      .daemon = "web1",
      .message_bytes_max = 8U << 20U,
      .credit_bytes = 4U << 20U,
      .daemons = {{NodeId{7}, "web1"}, {NodeId{9}, "log1"}, {NodeId{0x11223344}, "log2"}}};
}

inline std::vector<Bytes> server_frames() {
  const GroupList groups = {{"weblogs", {member(7, "a"), member(9, "b")}}, {"empty", {}}};
  const Error error{Errc::limit_exceeded, "too much of it"};
  const ConfigurationEvent configuration{.id = ring(17), .daemons = {NodeId{7}, NodeId{9}}};
  const ConfirmEvent confirm{
      .ticket = 1,
      .configuration = ring(17),
      .seq = Seq{4211},
      .index = 3,
      .stable = true,
      .transitional = false};
  std::vector<Bytes> frames;
  for (const auto& frame : std::vector<BufferChain>{
           Session::encode_welcome(welcome()),
           Session::encode_daemons(welcome().daemons),
           Session::encode_event(message_event()),
           Session::encode_event(view_event()),
           Session::encode_event(TransitionalEvent{"weblogs"}),
           Session::encode_event(LeftEvent{"weblogs"}),
           Session::encode_event(configuration),
           Session::encode_event(confirm),
           Session::encode_status(4, node_status()),
           Session::encode_groups(5, groups),
           Session::encode_pong(6),
           Session::encode_refused(7, "weblogs", error),
           Session::encode_closed(error)}) {
    frames.push_back(bytes_of(frame.joined().bytes()));
  }
  return frames;
}

}  // namespace ringcast::samples
