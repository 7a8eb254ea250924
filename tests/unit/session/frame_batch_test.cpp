// SPDX-License-Identifier: Apache-2.0
//
// FrameBatch: what it yields are the frames that Session makes one by one, behind one another.
#include "protocol/session/frame_batch.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/session/event_frame.hpp"
#include "protocol/session/session.hpp"
#include "tests/unit/session/samples.hpp"

namespace ringcast {
namespace {

using samples::Bytes;

constexpr std::array one{SessionId{1}};
constexpr std::array both{SessionId{1}, SessionId{2}};

Bytes frame_of(const ClientEvent& event) {
  return samples::bytes_of(Session::encode_event(event).joined().bytes());
}

MessageEvent message_of(std::size_t payload_bytes) {
  auto event = samples::message_event();
  auto payload = BufferRef::allocate(payload_bytes);
  for (auto& byte : payload.writable()) {
    byte = std::byte{0x5a};
  }
  event.payload = std::move(payload);
  return event;
}

bool add(FrameBatch& batch, std::span<const SessionId> to, ClientEvent event) {
  return batch.add(to, EventFrame(event));
}

std::vector<SessionId> copy_of(std::span<const SessionId> to) { return {to.begin(), to.end()}; }

}  // namespace

TEST_CASE("a batch holds the frames of events for the same sessions in their order") {
  FrameBatch batch;
  CHECK(batch.empty());
  const std::vector<ClientEvent> events{
      samples::message_event(),
      ConfirmEvent{.ticket = 7, .configuration = samples::ring(17), .seq = Seq{4211}},
      samples::view_event(),
      LeftEvent{"weblogs"},
      message_of(0),
      message_of(3000)};
  Bytes expected;
  for (const auto& event : events) {
    const auto frame = frame_of(event);
    CHECK(add(batch, both, event));
    expected.insert(expected.end(), frame.begin(), frame.end());
  }
  CHECK_FALSE(batch.empty());
  CHECK(copy_of(batch.to()) == copy_of(both));
  CHECK(samples::bytes_of(batch.take().bytes()) == expected);
  CHECK(batch.empty());
}

TEST_CASE("an event for other sessions does not belong to a batch that has some") {
  FrameBatch batch;
  REQUIRE(add(batch, one, LeftEvent{"a"}));
  CHECK_FALSE(add(batch, both, LeftEvent{"a"}));
  CHECK_FALSE(add(batch, std::span{both}.last(1), LeftEvent{"a"}));
  CHECK(samples::bytes_of(batch.take().bytes()) == frame_of(LeftEvent{"a"}));
  CHECK(add(batch, both, LeftEvent{"b"}));
  CHECK(copy_of(batch.to()) == copy_of(both));
}

TEST_CASE("what was taken stays as it is while the batch is filled again") {
  FrameBatch batch;
  std::vector<BufferRef> taken;
  Bytes expected;
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{20000}, std::size_t{100}}) {
    // One that is handed on as it is, and two that are copied.
    const auto event = message_of(bytes);
    const auto frame = frame_of(event);
    for (int i = 0; i < 2; ++i) {
      REQUIRE(add(batch, one, event));
      expected.insert(expected.end(), frame.begin(), frame.end());
    }
    taken.push_back(batch.take());
  }
  Bytes found;
  for (const auto& part : taken) {
    const auto bytes = samples::bytes_of(part.bytes());
    found.insert(found.end(), bytes.begin(), bytes.end());
  }
  CHECK(found == expected);
}

TEST_CASE("a batch takes frames while it has room") {
  FrameBatch batch;
  const auto event = message_of(copied_payload_max);
  REQUIRE(add(batch, one, event));
  CHECK_FALSE(add(batch, one, event));
  CHECK(samples::bytes_of(batch.take().bytes()) == frame_of(event));
  CHECK(add(batch, one, event));
  (void)batch.take();
  CHECK_FALSE(add(batch, one, message_of(BufferRef::roomy_bytes)));
  CHECK(batch.empty());
}

}  // namespace ringcast
