// SPDX-License-Identifier: Apache-2.0
//
// Window against a second, dumb implementation of it: a map from seq to packet.
#include "protocol/ring/window.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

constexpr RingId test_ring{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};

Data packet(std::uint64_t seq, std::size_t size = 10) {
  Data data;
  data.ring = test_ring;
  data.seq = Seq{seq};
  data.is_inner = true;
  data.bytes = BufferRef::allocate(size);
  return data;
}

/// What a window is, without its slots.
class Model {
 public:
  explicit Model(std::uint32_t capacity) : capacity_(capacity) {}

  Window::Insert insert(const Data& data) {
    const auto seq = data.seq.value;
    if (seq <= discarded_ || held_.contains(seq)) return Window::Insert::duplicate;
    if (seq > discarded_ + capacity_) return Window::Insert::outside;
    held_[seq] = data.body_bytes() + data_overhead_bytes;
    high_ = std::max(high_, seq);
    return Window::Insert::stored;
  }
  void discard(std::uint64_t up_to) {
    held_.erase(held_.begin(), held_.upper_bound(up_to));
    discarded_ = std::max(discarded_, up_to);
  }
  [[nodiscard]] bool holds(std::uint64_t seq) const { return held_.contains(seq); }
  [[nodiscard]] std::uint64_t aru() const {
    std::uint64_t aru = discarded_;
    while (held_.contains(aru + 1)) {
      ++aru;
    }
    return aru;
  }
  [[nodiscard]] std::uint64_t high() const { return high_; }
  [[nodiscard]] std::uint64_t discarded() const { return discarded_; }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [seq, size] : held_) {
      sum += size;
    }
    return sum;
  }
  [[nodiscard]] std::vector<SeqRange> holes(std::uint64_t up_to, std::size_t most) const {
    std::vector<SeqRange> ranges;
    bool open = false;
    for (auto seq = aru() + 1; seq <= up_to; ++seq) {
      if (held_.contains(seq)) {
        open = false;
      } else if (open) {
        ++ranges.back().count;
      } else if (ranges.size() < most) {
        open = true;
        ranges.push_back(SeqRange{.first = Seq{seq}, .count = 1});
      } else {
        break;
      }
    }
    return ranges;
  }

 private:
  std::uint64_t capacity_;
  std::map<std::uint64_t, std::size_t> held_;
  std::uint64_t high_{0};
  std::uint64_t discarded_{0};
};

void require_same(const Window& window, const Model& model, Random& random) {
  REQUIRE(window.aru().value == model.aru());
  REQUIRE(window.high().value == model.high());
  REQUIRE(window.discarded().value == model.discarded());
  REQUIRE(window.bytes() == model.bytes());
  REQUIRE(window.is_consistent());
  const auto looked_at = model.discarded() + random.below(300);
  const Data* const found = window.find(Seq{looked_at});
  REQUIRE((found != nullptr) == model.holds(looked_at));
  if (found != nullptr) REQUIRE(found->seq.value == looked_at);
  const auto up_to = model.aru() + random.below(300);
  const auto most = 1 + random.below(10);
  std::vector<SeqRange> holes;
  window.append_holes(Seq{up_to}, most, holes);
  REQUIRE(holes == model.holes(up_to, most));
}

}  // namespace

TEST_CASE("a window does what a map would do, whatever comes in what order") {
  for (const std::uint32_t capacity : {1U, 7U, 64U, 100U, 250U}) {
    CAPTURE(capacity);
    Random random(capacity);
    Window window(test_ring, capacity);
    Model model(capacity);
    for (int step = 0; step < 4000; ++step) {
      if (random.below(8) == 0) {
        const auto up_to = model.discarded() + random.below(model.aru() - model.discarded() + 1);
        window.discard(Seq{up_to});
        model.discard(up_to);
      } else {
        const auto back = std::min<std::uint64_t>(model.aru(), random.below(5));
        const auto ahead = random.below(4) == 0 ? random.below(capacity + 20U) : random.below(6);
        const Data data = packet(model.aru() - back + ahead, 1 + random.below(50));
        REQUIRE(window.insert(data) == model.insert(data));
      }
      require_same(window, model, random);
    }
  }
}

TEST_CASE("a window grows from small to its capacity and keeps what it holds") {
  Window window(test_ring, 8192);
  for (std::uint64_t seq = 2; seq <= 8192; seq += 2) {
    REQUIRE(window.insert(packet(seq)) == Window::Insert::stored);
  }
  CHECK(window.aru() == Seq{0});
  for (std::uint64_t seq = 1; seq <= 8192; ++seq) {
    REQUIRE((window.find(Seq{seq}) != nullptr) == (seq % 2 == 0));
  }
  for (std::uint64_t seq = 8191;; seq -= 2) {
    REQUIRE(window.insert(packet(seq)) == Window::Insert::stored);
    if (seq == 1) break;
  }
  CHECK(window.aru() == Seq{8192});
  CHECK(window.is_consistent());
}

TEST_CASE("the last seq within the capacity is taken and the next refused, also far up") {
  Window window(test_ring, 100);
  for (std::uint64_t base = 0; base < 100000; base += 100) {
    REQUIRE(window.insert(packet(base + 101)) == Window::Insert::outside);
    for (std::uint64_t seq = base + 100; seq > base; --seq) {
      REQUIRE(window.insert(packet(seq)) == Window::Insert::stored);
    }
    REQUIRE(window.aru() == Seq{base + 100});
    window.discard(window.aru());
    REQUIRE(window.bytes() == 0);
  }
  CHECK(window.insert(packet(ring_seq_limit)) == Window::Insert::outside);
}

TEST_CASE("holes beyond everything held are one range") {
  Window window(test_ring, 100);
  (void)window.insert(packet(1));
  (void)window.insert(packet(4));
  std::vector<SeqRange> holes;
  window.append_holes(Seq{9}, 10, holes);
  REQUIRE(holes.size() == 2);
  CHECK(holes[0] == SeqRange{.first = Seq{2}, .count = 2});
  CHECK(holes[1] == SeqRange{.first = Seq{5}, .count = 5});
  holes.clear();
  Window(test_ring, 100).append_holes(Seq{5}, 10, holes);
  REQUIRE(holes.size() == 1);
  CHECK(holes[0] == SeqRange{.first = Seq{1}, .count = 5});
}

TEST_CASE("a hole longer than one request can say is asked for as far as it reaches") {
  std::vector<SeqRange> holes;
  Window(test_ring, 100).append_holes(Seq{std::uint64_t{1} << 33U}, 10, holes);
  REQUIRE(holes.size() == 1);
  CHECK(holes.front() == SeqRange{.first = Seq{1}, .count = 0xffffffffU});
}

}  // namespace ringcast
