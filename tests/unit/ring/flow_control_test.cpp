// SPDX-License-Identifier: Apache-2.0
//
// Flow control as a whole rotation sees it: the sum stays within the window, shares are fair,
// nobody starves, requests shrink the window and quiet restores it.
#include "protocol/ring/flow_control.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"

namespace ringcast {
namespace {

constexpr std::uint64_t window = 100000;
constexpr std::uint64_t always_allowed = 4096;

/// Nodes that pass fcc and backlog round and send all they may.
class Rotation {
 public:
  explicit Rotation(std::size_t nodes) : flows_(nodes), backlogs_(nodes), sent_(nodes) {
    for (auto& flow : flows_) {
      flow.reset(window);
    }
  }

  void wait(std::size_t node, std::uint64_t bytes) { backlogs_[node] += bytes; }
  [[nodiscard]] std::uint64_t backlog(std::size_t node) const { return backlogs_[node]; }
  [[nodiscard]] std::uint64_t sent(std::size_t node) const { return sent_[node]; }

  void run() {
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      visit(i);
    }
  }

 private:
  void visit(std::size_t node) {
    auto& flow = flows_[node];
    const auto allowance = flow.allowance(FlowControl::Visit{
        .fcc = fcc_, .backlog = total_backlog_, .own_backlog = backlogs_[node], .requested = 0});
    const auto sent = std::min(allowance, backlogs_[node]);
    if (backlogs_[node] > 0) REQUIRE(sent >= std::min(backlogs_[node], always_allowed));
    backlogs_[node] -= sent;
    sent_[node] = sent;
    fcc_ = flow.account(fcc_, sent);
    total_backlog_ = flow.account_backlog(total_backlog_, backlogs_[node]);
    // What the token counts is what the last visits of all added up to.
    REQUIRE(fcc_ == std::accumulate(sent_.begin(), sent_.end(), std::uint64_t{0}));
    REQUIRE(fcc_ <= window + flows_.size() * always_allowed);
  }

  std::vector<FlowControl> flows_;
  std::vector<std::uint64_t> backlogs_;
  std::vector<std::uint64_t> sent_;
  std::uint64_t fcc_{0};
  std::uint64_t total_backlog_{0};
};

}  // namespace

TEST_CASE("a rotation sends no more than the window and everyone's least [FLW-1]") {
  for (const std::size_t nodes : {1U, 2U, 3U, 9U}) {
    Random random(nodes);
    Rotation ring(nodes);
    for (int i = 0; i < 2000; ++i) {
      for (std::size_t node = 0; node < nodes; ++node) {
        if (random.below(4) == 0) {
          ring.wait(node, random.below(random.below(5) == 0 ? 400000 : 5000));
        }
      }
      ring.run();
    }
    for (int i = 0; i < 100000; ++i) {
      ring.run();
      bool waiting = false;
      for (std::size_t node = 0; node < nodes; ++node) {
        waiting = waiting || ring.backlog(node) > 0;
      }
      if (!waiting) break;
    }
    for (std::size_t node = 0; node < nodes; ++node) {
      REQUIRE(ring.backlog(node) == 0);
    }
  }
}

TEST_CASE("nodes with equally much to send get equally much of the window") {
  for (const std::size_t nodes : {2U, 3U, 8U}) {
    CAPTURE(nodes);
    Rotation ring(nodes);
    std::vector<std::uint64_t> sums(nodes);
    for (int i = 0; i < 200; ++i) {
      for (std::size_t node = 0; node < nodes; ++node) {
        ring.wait(node, 1000000 - ring.backlog(node));
      }
      ring.run();
      for (std::size_t node = 0; node < nodes; ++node) {
        sums[node] += i < 20 ? 0 : ring.sent(node);
      }
    }
    const auto [least, most] = std::minmax_element(sums.begin(), sums.end());
    CHECK(*most < *least + *least / 5);
    CHECK(*least * nodes > 180 * window * 8 / 10);  // and the window is used
  }
}

TEST_CASE("a node with little to say gets through among busy ones at once") {
  Rotation ring(5);
  for (int i = 0; i < 50; ++i) {
    for (std::size_t node = 0; node < 4; ++node) {
      ring.wait(node, 10 * window);
    }
    ring.wait(4, 1500);
    ring.run();
    REQUIRE(ring.backlog(4) == 0);
  }
}

TEST_CASE("many requests shrink the window, a few do not, none lets it grow back [FLW-3]") {
  FlowControl flow;
  flow.reset(window);
  const auto visit = [&](std::uint64_t requested) {
    (void)flow.allowance(
        FlowControl::Visit{.fcc = 0, .backlog = 0, .own_backlog = 1, .requested = requested});
    return flow.window();
  };
  CHECK(visit(3) == window);
  CHECK(visit(100) == window - window / 4);
  CHECK(visit(3) == window - window / 4);
  for (int i = 0; i < 100; ++i) {
    (void)visit(1000);
  }
  CHECK(flow.window() >= always_allowed);
  const auto shrunk = flow.window();
  CHECK(visit(0) > shrunk);
  for (int i = 0; i < 1000; ++i) {
    (void)visit(0);
  }
  CHECK(flow.window() == window);
}

TEST_CASE("a slow rotation shrinks the window and 4 MiB bounds it [FLW-3]") {
  FlowControl flow;
  flow.reset(UINT64_MAX);
  const auto largest = flow.window();
  CHECK(largest == std::uint64_t{4} << 20U);
  const auto visit = [&](bool is_slow) {
    FlowControl::Visit now;
    now.is_slow = is_slow;
    (void)flow.allowance(now);
    return flow.window();
  };
  CHECK(visit(true) == largest - largest / 4);
  CHECK(visit(false) > largest - largest / 4);
  for (int i = 0; i < 1000; ++i) {
    (void)visit(false);
  }
  CHECK(flow.window() == largest);
}

TEST_CASE("counts on a token lower than our own last share do not wrap") {
  FlowControl flow;
  flow.reset(window);
  CHECK(flow.account(0, 5000) == 5000);
  CHECK(flow.account(0, 100) == 100);
  CHECK(flow.account_backlog(0, 70) == 70);
  CHECK(flow.account_backlog(20, 0) == 0);
  CHECK(
      flow.allowance(FlowControl::Visit{
          .fcc = UINT64_MAX, .backlog = UINT64_MAX / 2, .own_backlog = 10, .requested = 0}) ==
      always_allowed);
}

TEST_CASE("a ring of tiny buffers still sends") {
  FlowControl flow;
  flow.reset(0);
  CHECK(
      flow.allowance(FlowControl::Visit{
          .fcc = 0, .backlog = 0, .own_backlog = 1000, .requested = 0}) >= always_allowed);
}

}  // namespace ringcast
