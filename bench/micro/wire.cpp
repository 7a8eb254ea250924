// SPDX-License-Identifier: Apache-2.0
//
// The codec and the sealer: what one packet costs on its way out and in, by message size.
#include <benchmark/benchmark.h>
#include <variant>
#include <vector>

#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast {
namespace {

constexpr std::size_t packet_room = 1472 - data_overhead_bytes;
constexpr NodeKey self{.node = NodeId{1}, .boot = BootId{1}};

std::vector<Entry> entries_of(std::size_t message_bytes) {
  const auto count = packet_room / (entry_header_bytes + message_bytes);
  return std::vector<Entry>(count, Entry{.bytes = BufferRef::allocate(message_bytes)});
}

Data data_header() {
  Data data;
  data.ring = RingId{.seq = 1, .representative = self.node, .boot = self.boot};
  data.seq = Seq{1};
  data.originator = self.node;
  return data;
}

void encode_and_seal(benchmark::State& state) {
  const auto entries = entries_of(static_cast<std::size_t>(state.range(0)));
  NullSealer sealer(self, cluster_tag("bench"));
  for (auto _ : state) {
    auto data = data_header();
    encode_data(data, entries);
    sealer.seal(data.bytes.writable());
    benchmark::DoNotOptimize(data);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(entries.size()));
}
BENCHMARK(encode_and_seal)->Arg(100)->Arg(237)->Arg(1000)->Arg(1350);

void open_and_decode(benchmark::State& state) {
  const auto entries = entries_of(static_cast<std::size_t>(state.range(0)));
  NullSealer sealer(self, cluster_tag("bench"));
  auto data = data_header();
  encode_data(data, entries);
  sealer.seal(data.bytes.writable());
  for (auto _ : state) {
    auto header = sealer.open(data.bytes.bytes());
    auto packet = decode(data.bytes);
    auto content = std::get<Data>(packet->body).content();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto entry = next_entry(content);
      benchmark::DoNotOptimize(entry);
    }
    benchmark::DoNotOptimize(header);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(entries.size()));
}
BENCHMARK(open_and_decode)->Arg(100)->Arg(237)->Arg(1000)->Arg(1350);

void encode_and_decode_token(benchmark::State& state) {
  Token token;
  token.seq = Seq{1000000};
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto first = static_cast<std::uint64_t>(1 + 10 * i);
    token.rtr.push_back(SeqRange{.first = Seq{first}, .count = 3});
  }
  NullSealer sealer(self, cluster_tag("bench"));
  for (auto _ : state) {
    auto datagram = encode(token);
    sealer.seal(datagram.writable());
    auto packet = decode(datagram);
    benchmark::DoNotOptimize(packet);
  }
}
BENCHMARK(encode_and_decode_token)->Arg(0)->Arg(20);

}  // namespace
}  // namespace ringcast
