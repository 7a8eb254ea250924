// SPDX-License-Identifier: Apache-2.0
//
// The record codec: round trips, and every truncation and bit flip stays harmless.
#include <catch2/catch.hpp>

#include "tools/ringlog/lines_encoder.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/record_head.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

Record lines_record(std::vector<std::string> lines) {
  Record record;
  record.producer.id.bytes = {1, 2, 3};
  record.producer.name = "web1";
  record.first_seq = 7;
  record.body = Lines{std::move(lines)};
  return record;
}

Record with_body(std::variant<Lines, Dropped, TooLong, Settle> body, std::uint64_t seq) {
  auto record = lines_record({});
  record.body = std::move(body);
  record.first_seq = seq;
  return record;
}

}  // namespace

TEST_CASE("every kind of record reads back as it was written", "[ringlog]") {
  const std::vector<Record> records = {
      lines_record({"one", "", std::string("nul\0cr\r\xff", 8)}),
      with_body(Dropped{12, 3456}, 8),
      with_body(TooLong{1U << 30U}, 9),
      with_body(Settle{}, 0)};
  for (const auto& record : records) {
    const auto decoded = decode_record(encode(record));
    REQUIRE(decoded);
    CHECK(*decoded == record);
  }
  CHECK(range_of(records[0]) == Range{7, 9});
  CHECK(range_of(records[1]) == Range{8, 8});
}

TEST_CASE("no truncation of a record passes", "[ringlog]") {
  for (const auto& record : {lines_record({"one", "two"}), with_body(Dropped{1, 2}, 3)}) {
    const auto bytes = encode(record);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      REQUIRE_FALSE(decode_record(std::span(bytes).first(length)));
    }
  }
}

TEST_CASE("a record with a flipped bit is refused or keeps every limit", "[ringlog]") {
  const auto bytes = encode(lines_record({"one", "two"}));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = decode_record(flipped);
    if (!decoded) continue;
    REQUIRE(range_of(*decoded).last >= range_of(*decoded).first);
    if (const auto* lines = std::get_if<Lines>(&decoded->body)) {
      for (const auto& line : lines->lines) {
        REQUIRE(line.find('\n') == std::string::npos);
      }
    }
  }
}

TEST_CASE("a record whose numbers would pass the end is refused", "[ringlog]") {
  auto record = lines_record({"one", "two"});
  record.first_seq = std::numeric_limits<std::uint64_t>::max() - 1;
  CHECK_FALSE(decode_record(encode(record)));
  CHECK_FALSE(decode_record(encode(with_body(TooLong{1}, 0))));
  CHECK_FALSE(decode_record(encode(with_body(Settle{}, 1))));
}

TEST_CASE("lines written straight into a record read back, packed or not", "[ringlog]") {
  std::vector<std::string> lines = {"one", "", std::string("nul\0cr\r\xff", 8)};
  lines.resize(200, std::string(100, 'x'));
  for (const int level : {0, 1, 19}) {
    LinesEncoder encoder(lines_record({}).producer, {level, true});
    for (int round = 0; round < 2; ++round) {
      for (const auto& line : lines) {
        encoder.add(line);
      }
      auto expected = lines_record(lines);
      expected.wants_receipt = true;
      const auto bytes = encoder.take(7);
      const auto decoded = decode_record(bytes);
      REQUIRE(decoded);
      CHECK(*decoded == expected);
      CHECK((level == 0 ? bytes == encode(expected) : bytes.size() < encode(expected).size() / 4));
      CHECK(encoder.empty());
    }
  }
}

TEST_CASE("lines that do not get shorter are not packed", "[ringlog]") {
  LinesEncoder encoder(lines_record({}).producer, {3, false});
  encoder.add("a");
  CHECK(encoder.take(7) == encode(lines_record({"a"})));
}

namespace {

// A packed record of that many empty lines, with another length in it if asked for.
std::vector<std::byte> packed_record(
    std::size_t lines, std::optional<std::uint32_t> length = std::nullopt) {
  LinesEncoder encoder(lines_record({}).producer, {3, false});
  for (std::size_t i = 0; i < lines; ++i) {
    encoder.add("");
  }
  auto bytes = encoder.take(7);
  constexpr std::size_t length_offset = record_count_offset + 4 + 2 + 4;  // count, name
  for (std::size_t i = 0; length && i < 4; ++i) {
    bytes[length_offset + i] = static_cast<std::byte>((*length >> (8 * i)) & 255U);
  }
  return bytes;
}

}  // namespace

TEST_CASE("packed lines that are longer than they may be are refused unread", "[ringlog]") {
  CHECK(decode_record(packed_record(1000)));
  CHECK_FALSE(decode_record(packed_record(unpacked_bytes_max / 4 + 1)));
  CHECK_FALSE(decode_record(packed_record(1000, 0xFFFFFFFFU)));
  CHECK_FALSE(decode_record(packed_record(1000, 3999)));
  CHECK_FALSE(decode_record(packed_record(1000, 4001)));
  CHECK_FALSE(decode_record(packed_record(1000, 0)));
  const auto bytes = packed_record(1000);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(decode_record(std::span(bytes).first(length)));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = decode_record(flipped);
    if (decoded) REQUIRE(range_of(*decoded).last >= range_of(*decoded).first);
  }
}

TEST_CASE("a note of dropped lines can take all their numbers", "[ringlog]") {
  const auto decoded = decode_record(encode(with_body(Dropped{3, 30, 3}, 8)));
  REQUIRE(decoded);
  CHECK(range_of(*decoded) == Range{8, 10});
}
