// SPDX-License-Identifier: Apache-2.0
//
// SendQueue: exchange first, clients behind the gate, and a broken ring starts the half-sent
// message over.
#include "protocol/ring/send_queue.hpp"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

std::string front_text(SendQueue& queue, bool gate_open) {
  const Outgoing* const front = queue.front(gate_open);
  if (front == nullptr) return {};
  const auto bytes = front->bytes.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("exchange messages pass the closed gate and client messages do not [GRP-5]") {
  SendQueue queue;
  queue.push_client(BufferRef::copy_of("client"), Service::safe);
  CHECK(queue.empty(false));
  CHECK_FALSE(queue.empty(true));
  CHECK(queue.front(false) == nullptr);
  CHECK(queue.ready_bytes(false) == 0);
  queue.push_exchange(BufferRef::copy_of("exchange"));
  CHECK(front_text(queue, false) == "exchange");
  CHECK(front_text(queue, true) == "exchange");
  queue.pop(true);
  CHECK(front_text(queue, true) == "client");
  queue.pop(true);
  CHECK(queue.empty(true));
  CHECK(queue.bytes() == 0);
}

TEST_CASE("even an empty message counts as waiting") {
  SendQueue queue;
  queue.push_client(BufferRef{}, Service::agreed);
  CHECK(queue.bytes() > 0);
  CHECK_FALSE(queue.empty(true));
  queue.pop(true);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("when the ring breaks, exchanges go and the half-sent message starts over [ORD-8]") {
  SendQueue queue;
  queue.push_exchange(BufferRef::copy_of("stale"));
  queue.push_client(BufferRef::copy_of("first"), Service::agreed);
  queue.push_client(BufferRef::copy_of("second"), Service::agreed);
  queue.pop(true);
  Outgoing* const half_sent = queue.front(true);
  half_sent->started = true;
  half_sent->sent = 3;
  queue.push_exchange(BufferRef::copy_of("late"));
  queue.restart();
  CHECK(front_text(queue, false).empty());
  CHECK(front_text(queue, true) == "first");
  CHECK_FALSE(queue.front(true)->started);
  CHECK(queue.front(true)->sent == 0);
  CHECK(queue.bytes() == queue.ready_bytes(true));
}

}  // namespace ringcast
