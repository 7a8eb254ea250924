// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "tools/ringlog-publish/packet_blocks.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {
namespace {

constexpr std::size_t bytes_max = 3000;

struct Pair {
  Descriptor sender;
  Descriptor receiver;

  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0);
    sender = Descriptor(ends[0]);
    receiver = Descriptor(ends[1]);
  }
  void send(const std::string& text) const {
    REQUIRE(::send(sender.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
};

TEST_CASE("packets come whole, short and long ones", "[ringlog]") {
  const Pair pair;
  PacketBlocks packets(bytes_max);
  const auto length = GENERATE(1U, 1023U, 1024U, 1025U, 2999U, 3000U);
  std::string text(length, 'x');
  text.front() = '<';
  text.back() = '>';
  pair.send(text);
  pair.send("short");
  REQUIRE(packets.receive(pair.receiver.get()) == 2);
  CHECK(packets.packet(0) == text);
  CHECK(packets.length(0) == length);
  CHECK_FALSE(packets.is_cut(0));
  CHECK(packets.packet(1) == "short");
}

TEST_CASE("a packet that is too long is cut and tells its length", "[ringlog]") {
  const Pair pair;
  PacketBlocks packets(bytes_max);
  pair.send(std::string(bytes_max + 1, 'x'));
  pair.send("next");
  REQUIRE(packets.receive(pair.receiver.get()) == 2);
  CHECK(packets.is_cut(0));
  CHECK(packets.length(0) == bytes_max + 1);
  CHECK(packets.packet(0) == std::string(bytes_max, 'x'));
  CHECK(packets.packet(1) == "next");
}

TEST_CASE("packets may be shorter than what lies side by side", "[ringlog]") {
  const Pair pair;
  PacketBlocks packets(10);
  pair.send("0123456789a");
  pair.send("0123456789");
  REQUIRE(packets.receive(pair.receiver.get()) == 2);
  CHECK(packets.is_cut(0));
  CHECK(packets.packet(0) == "0123456789");
  CHECK_FALSE(packets.is_cut(1));
  CHECK(packets.packet(1) == "0123456789");
}

TEST_CASE("so many packets come at a time, and in the end none", "[ringlog]") {
  const Pair pair;
  PacketBlocks packets(bytes_max);
  for (std::size_t i = 0; i < PacketBlocks::at_once + 1; ++i) {
    pair.send(std::to_string(i));
  }
  REQUIRE(packets.receive(pair.receiver.get()) == static_cast<int>(PacketBlocks::at_once));
  CHECK(packets.packet(PacketBlocks::at_once - 1) == std::to_string(PacketBlocks::at_once - 1));
  REQUIRE(packets.receive(pair.receiver.get()) == 1);
  CHECK(packets.packet(0) == std::to_string(PacketBlocks::at_once));
  CHECK(packets.receive(pair.receiver.get()) == -1);
  CHECK(errno == EAGAIN);
}

}  // namespace
}  // namespace ringcast::ringlog
