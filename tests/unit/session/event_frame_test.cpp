// SPDX-License-Identifier: Apache-2.0
//
// EventFrame: however a frame is made, its bytes are the same; a payload that can stay where it is
// does.
#include "protocol/session/event_frame.hpp"

#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/ordered.hpp"
#include "protocol/groups/envelope.hpp"
#include "tests/unit/session/samples.hpp"

namespace ringcast {
namespace {

using samples::Bytes;

/// Each byte differs from the one before it.
void fill(BufferRef& buffer) {
  std::size_t next{0};
  for (auto& byte : buffer.writable()) {
    byte = static_cast<std::byte>(next++ % 251);
  }
}

ClientEvent message_with(BufferRef payload) {
  auto event = samples::message_event();
  event.payload = std::move(payload);
  return event;
}

ClientEvent message_of(std::size_t bytes) {
  auto payload = BufferRef::allocate(bytes);
  fill(payload);
  return message_with(std::move(payload));
}

/// As one that came in an envelope of `head` bytes, in a buffer of its own.
ClientEvent message_with_room(std::size_t head, std::size_t bytes) {
  auto envelope = BufferRef::allocate_with_room(head + bytes, head_room_bytes);
  envelope.remove_prefix(head);
  fill(envelope);
  return message_with(std::move(envelope));
}

const std::byte* payload_of(const ClientEvent& event) {
  return std::get<MessageEvent>(event).payload.front().bytes().data();
}

/// The frame by copying, which needs nothing of the payload's buffer.
Bytes copied(ClientEvent event) {
  const EventFrame frame(event);
  Bytes bytes(frame.size());
  frame.copy_to(bytes);
  return bytes;
}

Bytes alone(ClientEvent event) {
  return samples::bytes_of(EventFrame(event).alone().joined().bytes());
}

}  // namespace

TEST_CASE("a frame on its own is the frame as it is copied") {
  for (const std::size_t bytes :
       {std::size_t{0},
        std::size_t{1},
        std::size_t{3000},
        copied_payload_max,
        copied_payload_max + 1}) {
    CAPTURE(bytes);
    CHECK(alone(message_of(bytes)) == copied(message_of(bytes)));
    CHECK(alone(message_with_room(20, bytes)) == copied(message_of(bytes)));
  }
  CHECK(alone(samples::view_event()) == copied(samples::view_event()));
  CHECK(alone(LeftEvent{"weblogs"}) == copied(LeftEvent{"weblogs"}));
}

TEST_CASE("a payload with room before it stays where it is, and its head goes before it") {
  // The head of a frame is longer than that of an envelope with the same names by 33 bytes at most.
  ClientEvent event = message_with_room(40, 8000);
  const auto* const at = payload_of(event);
  EventFrame frame(event);
  CHECK_FALSE(frame.is_copied());
  const auto size = frame.size();
  const auto frames = std::move(frame).alone();
  REQUIRE(frames.is_one_piece());
  CHECK(frames.size() == size);
  CHECK(frames.front().bytes().data() + (size - 8000) == at);
}

TEST_CASE("a message that comes back as it was sent is shown where its envelope lies") {
  // Its head is the shortest that an envelope has: no ticket, no type.
  const auto names = samples::message_event();
  const std::vector<std::byte> payload(8000);
  ClientMessage message;
  message.session = SessionId{1};
  message.sender = names.sender_name;
  message.groups = names.groups;
  message.payload = payload;
  auto envelope = encode(message);
  envelope.remove_prefix(envelope.size() - payload.size());
  ClientEvent event = message_with(std::move(envelope));
  CHECK_FALSE(EventFrame(event).is_copied());
}

TEST_CASE("a payload that others refer to is copied, as one without room is") {
  ClientEvent event = message_with_room(40, 8000);
  const auto other = std::get<MessageEvent>(event).payload;
  CHECK(EventFrame(event).is_copied());
  const auto before = samples::bytes_of(other.front().bytes());
  const auto frames = EventFrame(event).alone();
  CHECK(samples::bytes_of(other.front().bytes()) == before);
  ClientEvent without = message_of(8000);
  CHECK(EventFrame(without).is_copied());
}

TEST_CASE("a long payload is not copied, and its head is a piece before it") {
  ClientEvent event = message_of(copied_payload_max + 1);
  const auto* const at = payload_of(event);
  EventFrame frame(event);
  CHECK_FALSE(frame.is_copied());
  const auto frames = std::move(frame).alone();
  REQUIRE(frames.buffers() == 2);
  CHECK(frames.rest()[0].bytes().data() == at);
}

}  // namespace ringcast
