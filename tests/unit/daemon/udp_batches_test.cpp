// SPDX-License-Identifier: Apache-2.0
//
// Datagrams are put together without changing what any destination sees.
#include "daemon/udp_batches.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

/// Copies of these sizes, all for one destination.
std::vector<PacketCopy> of_sizes(const std::vector<std::uint32_t>& sizes) {
  std::vector<PacketCopy> outgoing;
  for (const auto bytes : sizes) {
    outgoing.push_back(PacketCopy{
        .packet = static_cast<std::uint32_t>(outgoing.size()), .destination = 0, .bytes = bytes});
  }
  return outgoing;
}

std::vector<std::uint32_t> counts(const std::vector<SendBatch>& batches) {
  std::vector<std::uint32_t> result;
  for (const auto& batch : batches) {
    result.push_back(batch.count);
  }
  return result;
}

using Counts = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("equal packets in a row become one message, the last may be shorter", "[udp]") {
  const auto outgoing = of_sizes({1472, 1472, 1472, 900});
  const auto batches = plan_batches(outgoing, true);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].count == 4);
  CHECK(batches[0].segment_bytes == 1472);
}

TEST_CASE("nothing follows a shorter packet, and a longer one starts anew", "[udp]") {
  CHECK(counts(plan_batches(of_sizes({1472, 900, 1472, 1472}), true)) == Counts{2, 2});
  CHECK(counts(plan_batches(of_sizes({900, 1472}), true)) == Counts{1, 1});
  CHECK(counts(plan_batches(of_sizes({900, 900, 1472, 80, 80}), true)) == Counts{2, 2, 1});
  CHECK(counts(plan_batches(of_sizes({100, 0, 100}), true)) == Counts{1, 1, 1});
}

TEST_CASE("a single packet needs no segmentation", "[udp]") {
  const auto batches = plan_batches(of_sizes({1472}), true);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].segment_bytes == 0);
}

TEST_CASE("without segmentation every packet goes alone", "[udp]") {
  const auto batches = plan_batches(of_sizes({1472, 1472, 1472}), false);
  CHECK(counts(batches) == Counts{1, 1, 1});
  for (const auto& batch : batches) {
    CHECK(batch.segment_bytes == 0);
  }
}

TEST_CASE("a message has at most 64 packets and fits one datagram", "[udp]") {
  CHECK(
      counts(plan_batches(of_sizes(std::vector<std::uint32_t>(130, 100)), true)) ==
      Counts{64, 64, 2});
  CHECK(
      counts(plan_batches(of_sizes(std::vector<std::uint32_t>(50, 1472)), true)) == Counts{44, 6});
  CHECK(counts(plan_batches(of_sizes({32743, 32743, 32743}), true)) == Counts{2, 1});
  CHECK(counts(plan_batches(of_sizes({32744, 32744}), true)) == Counts{1, 1});
  CHECK(counts(plan_batches(of_sizes({65507, 65507}), true)) == Counts{1, 1});
}

TEST_CASE("packets for different destinations do not mix", "[udp]") {
  auto outgoing = of_sizes({1472, 1472, 1472, 1472});
  outgoing[1].destination = 1;
  outgoing[2].destination = 1;
  CHECK(counts(plan_batches(outgoing, true)) == Counts{1, 2, 1});
}

TEST_CASE(
    "packets for the same peers are gathered by destination, the token stays between", "[udp]") {
  const std::vector<std::uint32_t> all{7, 8};
  const std::vector<std::uint32_t> next{8};
  const std::vector<Addressed> packets{
      Addressed{.packet = 0, .bytes = 10, .destinations = all},
      Addressed{.packet = 1, .bytes = 11, .destinations = all},
      Addressed{.packet = 2, .bytes = 12, .destinations = next},
      Addressed{.packet = 3, .bytes = 13, .destinations = all}};
  const auto outgoing = spread_out(packets);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  for (const auto& out : outgoing) {
    order.emplace_back(out.packet, out.destination);
  }
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> expected{
      {0, 7}, {1, 7}, {0, 8}, {1, 8}, {2, 8}, {3, 7}, {3, 8}};
  CHECK(order == expected);
  CHECK(outgoing[2].bytes == 10);
  CHECK(spread_out({}).empty());
}

TEST_CASE("whatever the sizes, batches cover all packets in order and keep the rules", "[udp]") {
  std::mt19937 random(4913);  // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): repeatable
  for (int run = 0; run < 300; ++run) {
    std::vector<PacketCopy> outgoing;
    const auto length = random() % 200;
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::array<std::uint32_t, 7> sizes{
          1472, 1472, 1472, 1400, 64, 65507, static_cast<std::uint32_t>(random() % 3000)};
      outgoing.push_back(PacketCopy{
          .packet = i,
          .destination = static_cast<std::uint32_t>(random() % 8 == 0 ? 1 : 0),
          .bytes = sizes[random() % 7]});
    }
    std::uint32_t next{0};
    bool kept{true};
    for (const auto& batch : plan_batches(outgoing, true)) {
      kept = kept && batch.first == next && batch.count >= 1 && batch.count <= batch_segments_max;
      next = batch.first + batch.count;
      std::size_t total{0};
      for (std::uint32_t i = batch.first; i < next; ++i) {
        total += outgoing[i].bytes;
        if (batch.count == 1) continue;
        const bool last = i + 1 == next;
        kept = kept && outgoing[i].destination == outgoing[batch.first].destination;
        kept = kept && (outgoing[i].bytes == batch.segment_bytes ||
                        (last && outgoing[i].bytes < batch.segment_bytes && outgoing[i].bytes > 0));
      }
      kept = kept && (batch.count == 1 || total <= batch_bytes_max);
    }
    REQUIRE(kept);
    REQUIRE(next == outgoing.size());
  }
}

}  // namespace ringcast
