// SPDX-License-Identifier: Apache-2.0
//
// The envelope codec: what is written is read back, and no bytes whatever do harm.
#include "protocol/groups/envelope.hpp"

#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace ringcast::test {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

std::vector<std::byte> copy(const BufferRef& buffer) {
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

ClientMessage sample_message() {
  ClientMessage message;
  message.session = SessionId{0x1122334455667788};
  message.sender = "pub";
  message.echo = false;
  message.ticket = 77;
  message.type = -5;
  message.groups = {"weblogs", "#w#log1"};
  message.payload = as_bytes("a line");
  return message;
}

ExchangeChunk sample_chunk() {
  ExchangeChunk chunk;
  chunk.configuration = {.seq = 17, .representative = NodeId{3}, .boot = BootId{9}};
  chunk.last = true;
  chunk.companions = {{NodeId{3}, BootId{9}}, {NodeId{4}, BootId{1}}};
  chunk.groups.push_back(
      {.name = "g",
       .changed = true,
       .members = {
           {.name = "x", .session = SessionId{1}}, {.name = "y", .session = SessionId{2}}}});
  chunk.groups.push_back({.name = "h", .changed = false, .members = {}});
  return chunk;
}

std::vector<std::vector<std::byte>> samples() {
  ClientMessage plain;
  plain.session = SessionId{1};
  plain.sender = "s";
  plain.groups = {"g"};
  return {
      copy(encode(sample_message())),
      copy(encode(plain)),
      copy(encode(JoinChange{SessionId{5}, "w", "weblogs"})),
      copy(encode(LeaveChange{SessionId{5}, "weblogs"})),
      copy(encode(DisconnectChange{SessionId{5}, true})),
      copy(encode(sample_chunk()))};
}

/// Encodes what was decoded; equal bytes mean nothing was lost or made up.
std::vector<std::byte> again(std::span<const std::byte> bytes) {
  const auto envelope = decode_envelope(bytes);
  REQUIRE(envelope);
  return copy(encode(*envelope));
}

TEST_CASE("a client message comes back as it was", "[groups]") {
  const auto bytes = encode(sample_message());
  const auto envelope = decode_envelope(bytes.bytes());
  REQUIRE(envelope);
  const auto& message = std::get<ClientMessage>(*envelope);
  CHECK(message.session == SessionId{0x1122334455667788});
  CHECK(message.sender == "pub");
  CHECK_FALSE(message.echo);
  CHECK(message.ticket == 77U);
  CHECK(message.type == -5);
  CHECK(message.groups == std::vector<std::string_view>{"weblogs", "#w#log1"});
  CHECK(std::string(reinterpret_cast<const char*>(message.payload.data()), 6) == "a line");
  CHECK(message.payload.size() == 6);
}

TEST_CASE("the short way to a client message ends where the long one does", "[groups]") {
  for (const auto& sample : samples()) {
    for (std::size_t size = 0; size <= sample.size(); ++size) {
      const std::vector<std::byte> part(
          sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));
      const auto envelope = decode_envelope(part);
      const bool is_message = envelope.ok() && std::holds_alternative<ClientMessage>(*envelope);
      const auto message = decode_client_message(part);
      REQUIRE(message.has_value() == is_message);
      if (message) CHECK(copy(encode(*message)) == part);
    }
  }
}

TEST_CASE("every kind of envelope survives decode and encode", "[groups]") {
  for (const auto& sample : samples()) {
    CHECK(again(sample) == sample);
  }
}

TEST_CASE("fields a message does not need are not written", "[groups]") {
  ClientMessage message;
  message.session = SessionId{1};
  message.sender = "s";
  message.groups = {"g"};
  CHECK(header_bytes(message) == 1 + 1 + 8 + 2 + 1 + 2);
  message.ticket = 0;
  CHECK(header_bytes(message) == 1 + 1 + 8 + 8 + 2 + 1 + 2);
  message.type = std::numeric_limits<std::int32_t>::min();
  CHECK(encode(message).size() == header_bytes(message));
}

TEST_CASE("the largest header is within the bound the ring is told", "[groups]") {
  const std::string word(name_bytes_max, 'a');
  const std::string destination = "#" + word + "#" + word;
  ClientMessage message;
  message.sender = word;
  message.ticket = 1;
  message.type = 1;
  message.groups = std::vector<std::string_view>(groups_per_message_max, destination);
  CHECK(header_bytes(message) == envelope_overhead_max);
  CHECK(decode_envelope(encode(message).bytes()));
}

TEST_CASE("a truncated envelope is an error, or a shorter payload", "[groups]") {
  for (const auto& sample : samples()) {
    const auto whole = decode_envelope(sample);
    REQUIRE(whole);
    const auto* message = std::get_if<ClientMessage>(&*whole);
    const auto head = message != nullptr ? header_bytes(*message) : sample.size();
    for (std::size_t size = 0; size < sample.size(); ++size) {
      // A fresh copy, so that a sanitizer sees a read beyond it.
      const std::vector<std::byte> part(
          sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));
      const auto envelope = decode_envelope(part);
      CHECK(envelope.ok() == (size >= head));
      if (!envelope) CHECK(envelope.error().code == Errc::malformed);
    }
  }
}

TEST_CASE("whatever a flipped bit leaves readable means what its bytes say", "[groups]") {
  for (const auto& sample : samples()) {
    for (std::size_t bit = 0; bit < sample.size() * 8; ++bit) {
      auto bytes = sample;
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
      if (decode_envelope(bytes)) CHECK(again(bytes) == bytes);
    }
  }
}

TEST_CASE("noise is read without harm", "[groups]") {
  std::mt19937 random(7);
  const auto samples_now = samples();
  for (int round = 0; round < 20000; ++round) {
    auto bytes = samples_now[random() % samples_now.size()];
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    if (decode_envelope(bytes)) CHECK(again(bytes) == bytes);
  }
}

TEST_CASE("counts beyond the bytes are refused before anything is reserved", "[groups]") {
  auto bytes = copy(encode(sample_chunk()));
  const std::size_t companions = 1 + 1 + 16 + 4;
  bytes[companions] = std::byte{0xff};
  bytes[companions + 1] = std::byte{0xff};
  CHECK_FALSE(decode_envelope(bytes));
}

TEST_CASE("names are checked where they come in", "[groups]") {
  // Same lengths, so only the names are wrong.
  auto join = copy(encode(JoinChange{SessionId{5}, "w", "g"}));
  join[11] = std::byte{' '};
  CHECK_FALSE(decode_envelope(join));
  auto leave = copy(encode(LeaveChange{SessionId{5}, "g"}));
  leave.back() = std::byte{'#'};
  CHECK_FALSE(decode_envelope(leave));
  leave.push_back(std::byte{0});
  CHECK_FALSE(decode_envelope(leave));
  CHECK_FALSE(decode_envelope({}));
}

TEST_CASE("a private group has exactly two words", "[groups]") {
  const auto parts = split_private_group("#w#log1");
  REQUIRE(parts);
  CHECK(parts->session == "w");
  CHECK(parts->daemon == "log1");
  for (const auto* text : {"", "#", "##", "#w", "#w#", "##log1", "w#log1", "#w#log1#", "#w #l"}) {
    CHECK_FALSE(split_private_group(text));
  }
}

}  // namespace
}  // namespace ringcast::test
