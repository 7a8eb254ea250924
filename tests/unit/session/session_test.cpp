// SPDX-License-Identifier: Apache-2.0
//
// One client as the daemon sees it: cutting, the hello, checks, limits, backlog.
#include "protocol/session/session.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/unit/session/samples.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)
using samples::Bytes;

namespace {

constexpr std::uint32_t message_bytes_max = 100000;

Session make_session(SessionConfig config = {}) {
  return Session(SessionId{1}, config, message_bytes_max, Instant{});
}

Bytes hello() {
  return samples::frame([](ByteWriter& out) { encode_hello(out, "pub"); });
}

Bytes joining(std::string_view group) {
  return samples::frame([&](ByteWriter& out) { encode_join(out, group); });
}

/// All requests that are there; REQUIREs that none is an error.
std::vector<ClientRequest> drain(Session& session) {
  std::vector<ClientRequest> requests;
  for (;;) {
    auto request = session.next_request();
    REQUIRE(request);
    if (!request->has_value()) return requests;
    requests.push_back(std::move(**request));
  }
}

Session greeted(SessionConfig config = {}) {
  auto session = make_session(config);
  session.receive(hello());
  REQUIRE(drain(session).size() == 1);
  session.establish("pub");
  return session;
}

Error failure(Session& session) {
  for (;;) {
    const auto request = session.next_request();
    if (!request) return request.error();
    REQUIRE(request->has_value());
  }
}

}  // namespace

TEST_CASE("frames are cut the same however the stream is split") {
  Bytes stream;
  for (const auto& frame : samples::requests()) {
    if (frame[4] != std::byte{0x03}) stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    auto session = make_session();
    std::vector<std::size_t> kinds;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      const auto length = std::min(piece, stream.size() - at);
      session.receive(std::span<const std::byte>{stream}.subspan(at, length));
      for (const auto& request : drain(session)) {
        kinds.push_back(request.index());
      }
    }
    REQUIRE(kinds == std::vector<std::size_t>{0, 1, 3, 4, 5, 6, 7});
  }
}

TEST_CASE("bytes that were lent are needed until they are kept, and no longer") {
  constexpr std::size_t messages = 40;
  Bytes stream = hello();
  for (std::size_t i = 0; i < messages; ++i) {
    const Bytes payload(i * 100, static_cast<std::byte>(i));
    const auto frame =
        samples::publish(SendRequest{.ticket = i, .groups = {"g"}, .payload = payload});
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (const std::size_t piece :
       {std::size_t{3}, std::size_t{500}, std::size_t{7000}, stream.size()}) {
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{5}, messages}) {
      auto session = make_session();
      std::size_t next = 0;
      const auto take = [&](std::span<const std::byte> bytes, std::size_t count) {
        Bytes lent(bytes.begin(), bytes.end());
        session.lend(lent);
        for (; count > 0; --count) {
          const auto request = session.next_request();
          REQUIRE(request);
          if (!*request) break;
          const auto* const send = std::get_if<SendRequest>(&**request);
          if (send == nullptr) continue;
          REQUIRE(send->ticket == next);
          REQUIRE(send->payload.size() == next * 100);
          for (const auto byte : send->payload) {
            REQUIRE(byte == static_cast<std::byte>(next));
          }
          ++next;
        }
        session.keep();
        std::fill(lent.begin(), lent.end(), std::byte{0xee});
      };
      for (std::size_t at = 0; at < stream.size(); at += piece) {
        const auto length = std::min(piece, stream.size() - at);
        take(std::span<const std::byte>{stream}.subspan(at, length), most);
      }
      take({}, messages + 1);
      CHECK(next == messages);
      CHECK(session.input_bytes() == 0);
    }
  }
}

TEST_CASE("the first frame is a hello and no other is") {
  auto silent = make_session();
  silent.receive(joining("g"));
  CHECK(failure(silent).code == Errc::malformed);

  auto twice = greeted();
  twice.receive(hello());
  CHECK(failure(twice).code == Errc::malformed);
}

TEST_CASE("before the hello a frame is small") {
  auto session = make_session();
  ByteWriter length;
  length.u32(hello_frame_bytes_max + 1);
  length.u8(0x01);
  session.receive(length.view());
  CHECK(failure(session).code == Errc::limit_exceeded);
}

TEST_CASE("after an error and after a goodbye nothing more is taken") {
  auto broken = greeted();
  broken.receive(samples::bytes_of(std::string_view("\0\0\0\0", 4)));
  CHECK(failure(broken).code == Errc::malformed);
  broken.receive(joining("g"));
  CHECK(drain(broken).empty());

  auto leaving = greeted();
  leaving.receive(samples::frame([](ByteWriter& out) { encode_goodbye(out); }));
  CHECK(drain(leaving).size() == 1);
  leaving.receive(joining("g"));
  CHECK(drain(leaving).empty());
}

TEST_CASE("a publish beyond the limit is refused by its ticket, and the session goes on") {
  const Bytes payload(message_bytes_max + 100000, std::byte{'x'});
  for (const std::size_t size : {std::size_t{message_bytes_max} + 1, payload.size()}) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{1} << 20U}) {
      auto stream = samples::publish(SendRequest{
          .ticket = 77,
          .groups = {"g"},
          .payload = std::span<const std::byte>{payload}.first(size)});
      const auto join = joining("g");
      stream.insert(stream.end(), join.begin(), join.end());
      auto session = greeted();
      std::vector<ClientRequest> requests;
      for (std::size_t at = 0; at < stream.size(); at += piece) {
        const auto length = std::min(piece, stream.size() - at);
        session.receive(std::span<const std::byte>{stream}.subspan(at, length));
        for (auto& request : drain(session)) {
          requests.push_back(std::move(request));
        }
      }
      REQUIRE(requests.size() == 2);
      const auto* refusal = std::get_if<Refusal>(&requests[0]);
      REQUIRE(refusal != nullptr);
      CHECK(refusal->about == 77);
      CHECK(refusal->error.code == Errc::too_large);
      CHECK(refusal->error.message.find("100000") != std::string::npos);
      CHECK(std::holds_alternative<JoinRequest>(requests[1]));
    }
  }
}

TEST_CASE("the largest message passes") {
  const Bytes payload(message_bytes_max, std::byte{'x'});
  auto session = greeted();
  session.receive(samples::publish(SendRequest{.ticket = 1, .groups = {"g"}, .payload = payload}));
  const auto requests = drain(session);
  REQUIRE(requests.size() == 1);
  CHECK(std::get<SendRequest>(requests[0]).payload.size() == payload.size());
}

TEST_CASE("beyond any sense a frame ends the session") {
  auto session = greeted();
  ByteWriter out;
  out.u32(skipped_frame_bytes_max + 1);
  out.u8(0x04);
  out.u64(1);
  session.receive(out.view());
  CHECK(failure(session).code == Errc::limit_exceeded);

  auto joiner = greeted();
  ByteWriter join;
  join.u32(message_bytes_max * 2);
  join.u8(0x02);
  joiner.receive(join.view());
  CHECK(failure(joiner).code == Errc::limit_exceeded);
}

TEST_CASE("joins and leaves agree with what was asked for") {
  auto session = greeted(SessionConfig{.groups_per_session_max = 1});
  session.receive(samples::frame([](ByteWriter& out) { encode_leave(out, "g"); }));
  auto requests = drain(session);
  REQUIRE(requests.size() == 1);
  CHECK(std::get<Refusal>(requests[0]).error.code == Errc::not_member);
  CHECK(std::get<Refusal>(requests[0]).subject == "g");

  session.add_group("g");
  session.receive(joining("g"));
  requests = drain(session);
  CHECK(std::get<Refusal>(requests.at(0)).error.code == Errc::already_member);
  session.receive(joining("h"));
  requests = drain(session);
  CHECK(std::get<Refusal>(requests.at(0)).error.code == Errc::limit_exceeded);
  session.remove_group("g");
  session.receive(joining("h"));
  requests = drain(session);
  CHECK(std::get<JoinRequest>(requests.at(0)).group == "h");
}

TEST_CASE("many small frames in one piece are all cut, in linear time") {
  constexpr std::size_t count = 200000;
  auto session = greeted();
  ByteWriter stream;
  for (std::size_t i = 0; i < count; ++i) {
    encode_ping(stream, i);
  }
  const auto bytes = stream.view();
  std::size_t seen = 0;
  // 10 007 is prime: pieces end everywhere inside frames.
  for (std::size_t at = 0; at < bytes.size(); at += 10007) {
    session.receive(bytes.subspan(at, std::min<std::size_t>(10007, bytes.size() - at)));
    for (const auto& request : drain(session)) {
      REQUIRE(std::get<PingRequest>(request).request == seen);
      ++seen;
    }
  }
  CHECK(seen == count);
}

TEST_CASE("the backlog is counted from queued to written") {
  auto session = make_session(SessionConfig{.backlog_bytes_max = 10});
  session.queued(10);
  CHECK_FALSE(session.over_backlog());
  session.queued(1);
  CHECK(session.over_backlog());
  session.written(5);
  CHECK(session.backlog_bytes() == 6);
  CHECK_FALSE(session.over_backlog());
}

TEST_CASE("only a session without a name has a handshake deadline") {
  auto session = make_session(SessionConfig{.handshake = std::chrono::seconds{5}});
  CHECK(session.handshake_deadline() == Instant{} + std::chrono::seconds{5});
  session.establish("pub");
  CHECK_FALSE(session.handshake_deadline());
}
