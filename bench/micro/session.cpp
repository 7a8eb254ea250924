// SPDX-License-Identifier: Apache-2.0
//
// The frames between daemon and client: what a message costs at each end of the socket, beside
// its payload, which is not copied here.
#include <benchmark/benchmark.h>
#include <vector>

#include "protocol/base/bytes.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

constexpr std::size_t length_bytes = 4;

/// The head that `encode` wrote, without its length field, and the payload after it.
std::vector<std::byte> frame_of(const ByteWriter& head, std::span<const std::byte> payload) {
  const auto bytes = head.view().subspan(length_bytes);
  std::vector<std::byte> frame(bytes.begin(), bytes.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

/// A frame is written by the one side and read by the other.
template <class Encode, class Decode>
void measure(
    benchmark::State& state,
    std::span<const std::byte> payload,
    const Encode& encode_head,
    const Decode& decode) {
  ByteWriter sample;
  encode_head(sample);
  const auto frame = frame_of(sample, payload);
  for (auto _ : state) {
    ByteWriter head;
    encode_head(head);
    auto decoded = decode(frame);
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(decoded);
  }
  state.SetItemsProcessed(state.iterations());
}

void publish_frame(benchmark::State& state) {
  const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)));
  SendRequest request;
  request.ticket = 1;
  request.groups = {"bench"};
  request.payload = payload;
  measure(
      state,
      payload,
      [&](ByteWriter& out) { encode_publish_head(out, request); },
      [](std::span<const std::byte> frame) { return decode_request(frame); });
}
BENCHMARK(publish_frame)->Arg(100)->Arg(60000);

void message_frame(benchmark::State& state) {
  MessageEvent event;
  event.configuration = RingId{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};
  event.seq = Seq{1};
  event.sender_node = NodeId{1};
  event.sender_name = "client";
  event.groups = {"bench"};
  event.payload = BufferRef::allocate(static_cast<std::size_t>(state.range(0)));
  measure(
      state,
      event.payload.front().bytes(),
      [&](ByteWriter& out) { encode_message_head(out, event); },
      [](std::span<const std::byte> frame) { return decode_server_frame(frame); });
}
BENCHMARK(message_frame)->Arg(100)->Arg(60000);

}  // namespace
}  // namespace ringcast
