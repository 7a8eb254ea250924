// SPDX-License-Identifier: Apache-2.0
//
// ByteReader and ByteWriter: what is written is read back, and nothing is read twice or
// beyond the end.
#include "protocol/base/bytes.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"

namespace ringcast {
namespace {

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("numbers lie on the wire little-endian") {
  ByteWriter writer;
  writer.u8(0x01);
  writer.u16(0x0302);
  writer.u32(0x07060504);
  writer.u64(0x0f0e0d0c0b0a0908);
  std::uint8_t expected = 1;
  for (const auto byte : writer.view()) {
    REQUIRE(std::to_integer<std::uint8_t>(byte) == expected++);
  }
  CHECK(writer.size() == 15);
}

TEST_CASE("random fields are read back as written") {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    ByteWriter writer;
    std::vector<std::uint64_t> kinds;
    std::vector<std::uint64_t> values;
    std::vector<std::string> texts;
    for (int i = 0; i < 20; ++i) {
      const auto kind = random.below(6);
      const auto value = random.next();
      const std::string text(random.below(kind == 4 ? 256 : 2000), static_cast<char>('a' + i));
      if (kind == 0) writer.u8(static_cast<std::uint8_t>(value));
      if (kind == 1) writer.u16(static_cast<std::uint16_t>(value));
      if (kind == 2) writer.u32(static_cast<std::uint32_t>(value));
      if (kind == 3) writer.u64(value);
      if (kind == 4) writer.text8(text);
      if (kind == 5) writer.text16(text);
      kinds.push_back(kind);
      values.push_back(value);
      texts.push_back(text);
    }
    ByteReader reader(writer.view());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (kinds[i] == 0) REQUIRE(reader.u8() == static_cast<std::uint8_t>(values[i]));
      if (kinds[i] == 1) REQUIRE(reader.u16() == static_cast<std::uint16_t>(values[i]));
      if (kinds[i] == 2) REQUIRE(reader.u32() == static_cast<std::uint32_t>(values[i]));
      if (kinds[i] == 3) REQUIRE(reader.u64() == values[i]);
      if (kinds[i] == 4) REQUIRE(reader.text8() == texts[i]);
      if (kinds[i] == 5) REQUIRE(reader.text16() == texts[i]);
    }
    REQUIRE(reader.done());
  }
}

TEST_CASE("a reader that ran out stays bad and yields zeros") {
  const std::array<std::byte, 3> three{std::byte{1}, std::byte{2}, std::byte{3}};
  ByteReader reader(three);
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u8() == 0);  // though there were bytes for it
  CHECK(reader.bytes(1).empty());
  CHECK(reader.text8().empty());
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(reader.done());
}

TEST_CASE("a length larger than what is left is refused, however large") {
  ByteWriter writer;
  writer.text8(std::string(255, 'x'));
  auto cut = copy(writer.view());
  cut.pop_back();
  ByteReader short_by_one(cut);
  CHECK(short_by_one.text8().empty());
  CHECK_FALSE(short_by_one.ok());
  ByteReader giant(cut);
  CHECK(giant.bytes(SIZE_MAX).empty());
  CHECK_FALSE(giant.ok());
}

TEST_CASE("patching changes four bytes in place and no others") {
  ByteWriter writer;
  writer.u64(0);
  writer.u64(0);
  writer.patch_u32(6, 0xffffffff);
  ByteReader reader(writer.view());
  CHECK(reader.u64() == 0xffff000000000000U);
  CHECK(reader.u64() == 0x000000000000ffffU);
}

}  // namespace ringcast
