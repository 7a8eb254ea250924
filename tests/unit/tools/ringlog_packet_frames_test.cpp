// SPDX-License-Identifier: Apache-2.0
//
// PacketFrames: packets through frames and back, interleaved, torn, damaged.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog/packet_frames.hpp"

using namespace ringcast::ringlog;

namespace {

constexpr std::size_t longest = std::size_t{256} << 10U;

/// All that comes of the bytes, given in pieces of `at_once`.
std::vector<std::string> packets_of(
    PacketFrames& frames, std::string_view bytes, std::size_t at_once = 65536) {
  std::vector<std::string> packets;
  while (!bytes.empty()) {
    const auto room = frames.room();
    REQUIRE_FALSE(room.empty());
    const auto size = std::min({at_once, room.size(), bytes.size()});
    std::copy_n(bytes.begin(), size, room.begin());
    bytes.remove_prefix(size);
    frames.added(size);
    while (const auto packet = frames.next()) {
      packets.emplace_back(*packet);
    }
  }
  return packets;
}

std::string joined(const std::vector<std::string>& frames) {
  std::string bytes;
  for (const auto& frame : frames) {
    bytes += frame;
  }
  return bytes;
}

std::string one_frame(std::string_view packet) { return joined(encode_frames(packet, {})); }

std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>(i * 31 + i / 251);
  }
  return text;
}

}  // namespace

TEST_CASE("packets of any length come back, however their bytes are cut", "[ringlog]") {
  std::vector<std::string> sent;
  std::string bytes;
  for (const std::size_t size :
       {std::size_t{1},
        std::size_t{300},
        whole_packet_bytes_max,
        whole_packet_bytes_max + 1,
        std::size_t{50000},
        longest}) {
    sent.push_back(text_of(size));
    const auto frames = encode_frames(sent.back(), {7, static_cast<std::uint32_t>(size)});
    CHECK((frames.size() == 1) == (size <= whole_packet_bytes_max));
    for (const auto& frame : frames) {
      CHECK(frame.size() <= frame_bytes_max);
    }
    bytes += joined(frames);
  }
  for (const std::size_t at_once : {1U, 5U, 6U, 4095U, 4096U, 65536U, 1U << 20U}) {
    PacketFrames frames(longest);
    CHECK(packets_of(frames, bytes, at_once) == sent);
    CHECK_FALSE(frames.is_within_packet());
    frames.end();
    CHECK(frames.lost() == 0);
  }
}

TEST_CASE("a packet in pieces is the same frame as in one", "[ringlog]") {
  std::array<char, frame_bytes_max> room{};
  const std::vector<std::string_view> parts = {"one ", "", "two", "\n"};
  CHECK(encode_whole(room, "g\n", parts) == one_frame("g\none two\n"));
}

TEST_CASE("long packets of several processes may lie between each other", "[ringlog]") {
  const auto first = text_of(20000);
  const auto second = std::string(30000, 's');
  const auto ones = encode_frames(first, {1, 5});
  const auto others = encode_frames(second, {2, 5});
  std::string bytes;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (i < ones.size()) bytes += ones[i];
    bytes += one_frame("short " + std::to_string(i));
    bytes += others[i];
  }
  PacketFrames frames(longest);
  auto packets = packets_of(frames, bytes, 1000);
  CHECK(packets.size() == others.size() + 2);
  CHECK(std::count(packets.begin(), packets.end(), first) == 1);
  CHECK(packets.back() == second);
  CHECK(frames.lost() == 0);
}

TEST_CASE("who begins in the middle of a frame loses that one", "[ringlog]") {
  const auto frame = one_frame("g\nthe line whose beginning is gone\n");
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    PacketFrames frames(longest);
    CHECK(
        packets_of(frames, frame.substr(cut) + one_frame("g\nnext\n")) ==
        std::vector<std::string>{"g\nnext\n"});
    CHECK(frames.lost() == 1);
    CHECK_FALSE(frames.is_within_packet());
  }
}

TEST_CASE("who begins in the middle of a long packet loses that one", "[ringlog]") {
  const auto long_frames = encode_frames(text_of(20000), {1, 1});
  for (std::size_t gone = 1; gone < long_frames.size(); ++gone) {
    PacketFrames frames(longest);
    const auto rest = joined({long_frames.begin() + static_cast<long>(gone), long_frames.end()});
    CHECK(packets_of(frames, rest + one_frame("next")) == std::vector<std::string>{"next"});
    CHECK(frames.lost() == 1);
    CHECK_FALSE(frames.is_within_packet());
  }
}

TEST_CASE("a process killed in the middle of a long packet costs that one", "[ringlog]") {
  const auto text = text_of(20000);
  const auto killed = encode_frames(text, {1, 1});
  const auto follows = encode_frames(text, {1, 2});
  PacketFrames frames(longest);
  CHECK(packets_of(frames, killed[0] + killed[1]).empty());
  CHECK(frames.is_within_packet());
  CHECK(packets_of(frames, joined(follows)) == std::vector<std::string>{text});
  CHECK(frames.lost() == 1);
  CHECK_FALSE(frames.is_within_packet());
  CHECK(packets_of(frames, killed[0]).empty());
  frames.end();
  CHECK(frames.lost() == 2);
}

TEST_CASE("a long packet that lacks a part is lost, whichever part it is", "[ringlog]") {
  const auto written = encode_frames(text_of(20000), {1, 1});
  for (std::size_t gone = 0; gone < written.size(); ++gone) {
    auto left = written;
    left.erase(left.begin() + static_cast<long>(gone));
    PacketFrames frames(longest);
    CHECK(packets_of(frames, joined(left) + one_frame("next")) == std::vector<std::string>{"next"});
    frames.end();
    CHECK(frames.lost() >= 1);
  }
}

TEST_CASE("who reads no more than is missing ends where frames end", "[ringlog]") {
  const auto text = text_of(10000);
  const auto bytes = one_frame("short") + joined(encode_frames(text, {1, 1})) + one_frame("next");
  PacketFrames frames(longest);
  std::size_t at = 0;
  std::vector<std::string> packets;
  while (packets.size() < 2) {
    REQUIRE(at + frames.missing() <= bytes.size());
    const auto part = bytes.substr(at, frames.missing());
    at += part.size();
    for (auto& packet : packets_of(frames, part)) {
      packets.push_back(std::move(packet));
    }
  }
  CHECK(packets == std::vector<std::string>{"short", text});
  CHECK(bytes.substr(at) == one_frame("next"));
  CHECK_FALSE(frames.is_within_packet());
}

TEST_CASE("what was never finished has a bound", "[ringlog]") {
  const auto text = text_of(longest);
  PacketFrames frames(longest);
  constexpr std::uint32_t processes = 400;  // 100 MiB
  for (std::uint32_t process = 1; process <= processes; ++process) {
    auto begun = encode_frames(text, {process, 1});
    begun.pop_back();
    CHECK(packets_of(frames, joined(begun)).empty());
  }
  CHECK(frames.lost() > 100);
  CHECK(frames.lost() < 200);
  const auto newest = encode_frames(text, {processes, 1});
  CHECK(packets_of(frames, newest.back()) == std::vector<std::string>{text});
}

TEST_CASE("packets beyond the limit are lost, others are not", "[ringlog]") {
  PacketFrames frames(10000);
  const auto bytes = joined(encode_frames(text_of(10001), {1, 1})) +
                     joined(encode_frames(text_of(10000), {1, 2})) + one_frame("next");
  CHECK(packets_of(frames, bytes) == std::vector<std::string>{text_of(10000), "next"});
  CHECK(frames.lost() >= 1);
}

TEST_CASE("no bytes are too wrong for the frames that follow", "[ringlog]") {
  const auto good = one_frame("good");
  std::vector<std::string> wrong = {
      std::string(100000, 'x'),
      std::string(5, '\0'),
      "\x1eRCX1234567",
      std::string("\x1eRCW\xff\xff", 6),
      std::string(
          "\x1eRCF\x02\0"
          "ab",
          8),
      "\x1eR\x1eRC\x1e"};
  for (const auto& bytes : wrong) {
    PacketFrames frames(longest);
    CHECK(packets_of(frames, bytes + good + good) == std::vector<std::string>{"good", "good"});
    CHECK(frames.lost() >= 1);
  }
}
