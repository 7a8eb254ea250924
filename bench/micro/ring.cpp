// SPDX-License-Identifier: Apache-2.0
//
// Window and packer: what a rotation costs apart from coding and sending.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <utility>
#include <vector>

#include "protocol/ring/packer.hpp"
#include "protocol/ring/window.hpp"

namespace ringcast {
namespace {

constexpr RingId ring{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};
constexpr std::uint64_t rotation_packets = 256;

Data packet(std::uint64_t seq, const BufferRef& body) {
  Data data;
  data.ring = ring;
  data.seq = Seq{seq};
  data.is_inner = true;
  data.bytes = body;
  return data;
}

void insert_run(Window& window, const SeqRange& range, const BufferRef& body) {
  for (std::uint64_t i = 0; i < range.count; ++i) {
    window.insert(packet(range.first.value + i, body));
  }
}

/// A rotation's packets come in and are let go; every `loss`-th comes last (0: none).
void window_rotation(benchmark::State& state) {
  const auto loss = static_cast<std::uint64_t>(state.range(0));
  const auto body = BufferRef::allocate(1400);
  Window window(ring, 8192);
  std::uint64_t last{0};
  std::vector<SeqRange> holes;
  for (auto _ : state) {
    for (auto seq = last + 1; seq <= last + rotation_packets; ++seq) {
      if (loss == 0 || seq % loss != 0) window.insert(packet(seq, body));
    }
    holes.clear();
    window.append_holes(Seq{last + rotation_packets}, rotation_packets, holes);
    for (const auto& hole : holes) {
      insert_run(window, hole, body);
    }
    last += rotation_packets;
    window.discard(Seq{last});
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rotation_packets));
}
BENCHMARK(window_rotation)->Arg(0)->Arg(100)->Arg(10);

/// 64 KiB of messages of that size become packets.
void pack_messages(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const auto count = std::max<std::size_t>((std::size_t{64} << 10U) / bytes, 1);
  const auto message = BufferRef::allocate(bytes);
  for (auto _ : state) {
    SendQueue queue;
    for (std::size_t i = 0; i < count; ++i) {
      queue.push_client(BufferRef(message), Service::agreed);
    }
    while (!queue.empty(true)) {
      auto packed = pack(queue, true, 1472 - data_overhead_bytes);
      benchmark::DoNotOptimize(packed);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(pack_messages)->Arg(100)->Arg(1350)->Arg(60000);

}  // namespace
}  // namespace ringcast
