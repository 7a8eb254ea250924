// SPDX-License-Identifier: Apache-2.0
//
// Packer and Unpacker together: what goes in comes out, whole, once and in order, whatever
// the sizes of messages and packets.
#include "protocol/ring/packer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"
#include "protocol/ring/unpacker.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

constexpr std::size_t ethernet_room = 1472 - data_overhead_bytes - data_header_bytes;

struct Sent {
  BufferRef bytes;
  Service service;
};

bool same(const BufferRef& a, const BufferRef& b) {
  return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

/// One daemon's way onto the ring and off it again.
class Line {
 public:
  void submit(BufferRef bytes, Service service) {
    expected_.push_back(Sent{bytes, service});
    queue_.push_client(std::move(bytes), service);
  }

  /// Packs, numbers, encodes and unpacks one packet. False: nothing was ready.
  bool step(std::size_t room) {
    const PackedEntries packed = pack(queue_, true, room);
    if (packed.entries.empty()) return false;
    REQUIRE(packed.bytes <= room);
    check_safety(packed);
    const auto& last_entry = packed.entries.back();
    REQUIRE(packed.begun.empty() == !(last_entry.first && !last_entry.last));
    Data data;
    data.ring = RingId{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};
    data.seq = next(last_);
    data.originator = NodeId{1};
    data.safe = packed.safe;
    if (!packed.begun.empty()) unpacker_.expect(data.ring, data.seq, packed.begun);
    encode_data(data, packed.entries);
    REQUIRE(data.datagram_bytes() == packed.bytes + data_overhead_bytes);
    const auto decoded = decode(data.bytes);
    REQUIRE(decoded);
    last_ = data.seq;
    ++packets_;
    std::vector<OrderedEvent> out;
    unpacker_.unpack(std::get<Data>(decoded->body), false, out);
    REQUIRE(out.size() == packed.messages_ended);
    for (const auto& event : out) {
      take(std::get<OrderedMessage>(event), packed);
    }
    return true;
  }

  void drain(std::size_t room) {
    while (step(room)) {
    }
    REQUIRE(expected_.empty());
    REQUIRE(unpacker_.strays() == 0);
    REQUIRE(queue_.bytes() == 0);
  }

  void break_ring() {
    queue_.restart();
    unpacker_.clear();
  }

  [[nodiscard]] std::size_t waiting() const { return expected_.size(); }
  [[nodiscard]] std::size_t packets() const { return packets_; }
  [[nodiscard]] const std::vector<OrderedMessage>& delivered() const { return delivered_; }

 private:
  static void check_safety(const PackedEntries& packed) {
    // [ORD-7] Safe when a safe message ends in it; then none weaker ended before that one.
    bool safe_ended = false;
    bool weaker_ended = false;
    for (const auto& entry : packed.entries) {
      if (!entry.last) continue;
      const bool is_safe = entry.service == static_cast<std::uint8_t>(Service::safe);
      if (is_safe && !safe_ended) REQUIRE_FALSE(weaker_ended);
      safe_ended = safe_ended || is_safe;
      weaker_ended = weaker_ended || !is_safe;
    }
    REQUIRE(packed.safe == safe_ended);
  }

  void take(const OrderedMessage& message, const PackedEntries& packed) {
    REQUIRE_FALSE(expected_.empty());
    REQUIRE(same(message.payload.joined(), expected_.front().bytes));
    REQUIRE(message.service == expected_.front().service);
    REQUIRE(message.seq == last_);
    REQUIRE(message.index < packed.entries.size());
    REQUIRE(packed.entries[message.index].last);
    if (!delivered_.empty()) {
      const auto& before = delivered_.back();
      REQUIRE(std::pair(before.seq, before.index) < std::pair(message.seq, message.index));
    }
    expected_.pop_front();
    delivered_.push_back(message);
  }

  SendQueue queue_;
  Unpacker unpacker_;
  std::deque<Sent> expected_;
  std::vector<OrderedMessage> delivered_;
  Seq last_;
  std::size_t packets_{0};
};

std::size_t any_size(Random& random, std::size_t room) {
  switch (random.below(6)) {
    case 0:
      return 0;
    case 1:
      return room - entry_header_bytes + random.below(3) - 1;
    case 2:
      return random.below(room * 5);
    case 3:
      return room * (1 + random.below(3)) - random.below(20);
    default:
      return random.below(200);
  }
}

}  // namespace

TEST_CASE("messages of any size and service come out as they went in") {
  for (const std::size_t room : {std::size_t{256}, std::size_t{300}, ethernet_room}) {
    Random random(room);
    Line line;
    for (int i = 0; i < 1500; ++i) {
      const auto service = static_cast<Service>(random.below(5));
      line.submit(samples::payload(random.next(), any_size(random, room)), service);
      if (random.below(4) == 0) (void)line.step(room);
    }
    line.drain(room);
    CHECK(line.delivered().size() == 1500);
  }
}

TEST_CASE("a message of exactly a packet takes one, one byte more takes two") {
  for (const auto& [size, packets] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 1},
           {1, 1},
           {ethernet_room - entry_header_bytes - 1, 1},
           {ethernet_room - entry_header_bytes, 1},
           {ethernet_room - entry_header_bytes + 1, 2}}) {
    CAPTURE(size);
    Line line;
    line.submit(samples::payload(size, size), Service::agreed);
    line.drain(ethernet_room);
    CHECK(line.packets() == packets);
  }
}

TEST_CASE("fragments fill packets to the last byte, so that they are of one size") {
  SendQueue queue;
  for (int i = 0; i < 20; ++i) {
    queue.push_client(samples::payload(1, 8027), Service::agreed);
  }
  std::vector<std::size_t> sizes;
  for (auto packed = pack(queue, true, ethernet_room); !packed.entries.empty();
       packed = pack(queue, true, ethernet_room)) {
    sizes.push_back(packed.bytes);
  }
  REQUIRE(sizes.size() > 100);
  sizes.pop_back();
  // But for what is too little for a fragment.
  CHECK(*std::min_element(sizes.begin(), sizes.end()) > ethernet_room - 24);
  const auto full = std::count(sizes.begin(), sizes.end(), ethernet_room);
  CHECK(static_cast<std::size_t>(full) >= sizes.size() - 1);
}

TEST_CASE("a message of 8 MiB comes out whole and wastes less than two percent") {
  for (const std::size_t room : {ethernet_room, std::size_t{65507 - 108}}) {
    Line line;
    constexpr std::size_t size = std::size_t{8} << 20U;
    line.submit(samples::payload(1, size), Service::safe);
    line.submit(samples::payload(2, 10), Service::agreed);
    line.drain(room);
    CHECK(line.packets() * room < size + size / 50);
  }
}

TEST_CASE("small messages share packets") {
  Line line;
  for (int i = 0; i < 1000; ++i) {
    line.submit(samples::payload(1, 10), Service::agreed);
  }
  line.drain(ethernet_room);
  CHECK(line.packets() <= std::size_t{1000} * 14 / ethernet_room + 1);
}

TEST_CASE("an agreed message never waits for a safe one behind it [ORD-7]") {
  Line line;
  line.submit(samples::payload(1, 10), Service::agreed);
  line.submit(samples::payload(2, 10), Service::safe);
  line.submit(samples::payload(3, 10), Service::agreed);
  line.drain(ethernet_room);
  REQUIRE(line.delivered().size() == 3);
  CHECK(line.delivered()[0].seq == Seq{1});
  CHECK(line.delivered()[1].seq == Seq{2});
  CHECK(line.delivered()[2].seq == Seq{2});  // it waits for the safe one anyway
}

TEST_CASE("nothing of a client is packed while the gate is closed") {
  SendQueue queue;
  queue.push_client(samples::payload(1, 10), Service::agreed);
  CHECK(pack(queue, false, 256).entries.empty());
  queue.push_exchange(samples::payload(2, 20));
  const auto packed = pack(queue, false, 256);
  REQUIRE(packed.entries.size() == 1);
  CHECK(packed.entries[0].bytes.size() == 20);
}

TEST_CASE("a ring that breaks anywhere loses and doubles no message [ORD-8]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    Line line;
    for (int i = 0; i < 60; ++i) {
      line.submit(samples::payload(random.next(), any_size(random, 300)), Service::agreed);
    }
    while (line.waiting() > 0) {
      if (random.below(10) == 0) line.break_ring();
      (void)line.step(300);
    }
    REQUIRE(line.delivered().size() == 60);
    line.drain(300);
  }
}

}  // namespace ringcast
