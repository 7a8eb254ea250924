// SPDX-License-Identifier: Apache-2.0
//
// Back-pressure: a client that cannot write goes on reading, until its inbox is full; then it
// says so and loses nothing.
#include <catch2/catch.hpp>

#include "ringcast/client.hpp"

#include "client/inbox.hpp"
#include "client/outstanding.hpp"
#include "tests/unit/client/fake_daemon.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

const std::vector<std::byte>& kilobyte() {
  static const std::vector<std::byte> payload(1024, std::byte{'x'});
  return payload;
}

Publication publication() {
  return Publication{.groups = {"g"}, .payload = kilobyte(), .confirm = false};
}

/// Publishes until nothing more is taken; the number taken.
std::size_t stuff(Client& client) {
  for (std::size_t count = 0;; ++count) {
    const auto ticket = client.try_publish(publication());
    if (ticket) continue;
    REQUIRE(ticket.error().code == Errc::would_block);
    return count;
  }
}

}  // namespace

TEST_CASE("without credit a publish blocks until its deadline and sends nothing") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const auto sent = stuff(client);
  CHECK(sent >= 1000);
  CHECK(client.wants_write() != FakeDaemon::shares_memory());
  CHECK(client.publish(publication(), at_once()).error().code == Errc::timed_out);
  std::size_t heard = 0;
  const Meanwhile reading([&] {
    while (daemon.hear_a<SendRequest>()) {
      ++heard;
    }
  });
  CHECK(client.close(at_once()).error().code == Errc::timed_out);
  // What was in the socket arrives whole or not at all; never more than was accepted.
  CHECK(heard <= sent);
}

TEST_CASE("questions that a blocked connection could not take are not asked later") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  (void)stuff(client);
  for (int i = 0; i < 3; ++i) {
    CHECK(client.status(at_once()).error().code == Errc::timed_out);
  }
  std::size_t asked = 0;
  const Meanwhile reading([&] {
    while (const auto request = daemon.hear()) {
      if (std::holds_alternative<StatusRequest>(*request)) ++asked;
      const auto* ping = std::get_if<PingRequest>(&*request);
      if (ping == nullptr) continue;
      (void)daemon.say([&](ByteWriter& out) { encode_pong(out, ping->request); });
      return;
    }
  });
  REQUIRE(client.flush(soon()));
  CHECK(asked == 0);
}

TEST_CASE("a blocked publish goes through when the daemon reads on") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const auto sent = stuff(client);
  std::size_t heard = 0;
  {
    const Meanwhile reading([&] {
      while (const auto request = daemon.hear()) {
        if (std::holds_alternative<SendRequest>(*request)) ++heard;
        const auto* const ping = std::get_if<PingRequest>(&*request);
        if (ping == nullptr) continue;
        (void)daemon.say([&](ByteWriter& out) { encode_pong(out, ping->request); });
        return;
      }
    });
    REQUIRE(client.publish(publication(), soon()));
    REQUIRE(client.flush(soon()));
  }
  CHECK(heard == sent + 1);
}

TEST_CASE("a publisher that is blocked receives into its inbox") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  (void)stuff(client);
  REQUIRE(daemon.say_message("meanwhile"));
  CHECK(client.publish(publication(), at_once()).error().code == Errc::timed_out);
  CHECK(client.has_event());
}

TEST_CASE("a program that only publishes still reads") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say_message("unasked"));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(client.try_publish(publication()));
  }
  CHECK(client.has_event());
}

TEST_CASE("a full inbox stops publishing, not the session, and loses nothing") {
  FakeDaemon daemon;
  auto options = daemon.options();
  options.inbox_bytes_max = 100000;
  auto client = daemon.meet(options);
  constexpr std::size_t messages = 500;
  const std::string text(1000, 'm');
  std::size_t received = 0;
  const Meanwhile talking([&] {
    for (std::size_t i = 0; i < messages; ++i) {
      if (!daemon.say_message(text)) return;
    }
  });
  const auto full = [&] {
    for (;;) {
      auto ticket = client.try_publish(publication());
      if (!ticket && ticket.error().code == Errc::inbox_full) return ticket.error();
      REQUIRE((ticket || ticket.error().code == Errc::would_block));
    }
  };
  CHECK(full().code == Errc::inbox_full);
  CHECK(client.publish(publication(), soon()).error().code == Errc::inbox_full);
  CHECK(client.status(soon()).error().code == Errc::inbox_full);
  while (received < messages) {
    const auto event = client.receive_until(soon());
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Message>(*event));
    ++received;
  }
  CHECK_FALSE(client.has_event());
}

TEST_CASE("the largest message passes both ways, also through a small inbox") {
  FakeDaemon daemon;
  auto options = daemon.options();
  options.inbox_bytes_max = 1000;
  auto client = daemon.meet(options);
  std::vector<std::byte> payload(8U << 20U);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<std::byte>(i * 7 % 251);
  }
  bool same = false;
  const Meanwhile mirror([&] {
    const auto heard = daemon.hear_a<SendRequest>();
    if (!heard) return;
    same = std::equal(heard->payload.begin(), heard->payload.end(), payload.begin(), payload.end());
    const auto* text = reinterpret_cast<const char*>(heard->payload.data());
    (void)daemon.say_message({text, heard->payload.size()});
  });
  REQUIRE(client.publish(Publication{.groups = {"g"}, .payload = payload}, soon()));
  const auto event = client.receive_until(soon());
  if (!event) FAIL(event.error().message);
  CHECK(std::get<Message>(*event).payload == payload);
  CHECK(same);
}

TEST_CASE("events that came together are had one after the other, and told of until then") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_left(out, "a");
    encode_left(out, "b");
  }));
  for (const std::string group : {"a", "b"}) {
    const auto event = client.receive_until(soon());
    REQUIRE(event);
    CHECK(std::get<Left>(*event).group == group);
    CHECK(client.has_event() == (group == "a"));
  }
  CHECK_FALSE(client.try_receive()->has_value());
}

TEST_CASE("events that came before the session was lost are had before its end") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_left(out, "a");
    encode_left(out, "b");
    encode_closed(out, Error{Errc::closed, "daemon stopped"});
  }));
  daemon.hang_up();
  CHECK(std::get<Left>(*client.receive_until(soon())).group == "a");
  const auto published = client.try_publish(publication());
  CHECK((published || published.error().code == Errc::closed));  // memory takes it all the same
  CHECK(std::get<Left>(*client.receive_until(soon())).group == "b");
  CHECK(std::get<Closed>(*client.receive_until(soon())).reason == "daemon stopped");
}

TEST_CASE("nothing is left in the socket when a client finds nothing") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  // More than the rest of the buffer for one read, and less than a socket holds.
  const std::vector<std::byte> piece(130000);
  const std::vector<std::byte> rest(138000);
  MessageEvent event;
  event.sender_name = "w";
  event.groups = {"g"};
  event.payload = BufferRef::allocate(piece.size() + rest.size());
  REQUIRE(daemon.say([&](ByteWriter& out) {
    encode_message_head(out, event);
    out.bytes(piece);
  }));
  const auto nothing = client.try_receive();
  REQUIRE(nothing);
  CHECK_FALSE(nothing->has_value());
  REQUIRE(daemon.send(rest));
  const auto message = client.try_receive();
  REQUIRE(message);
  REQUIRE(message->has_value());
  CHECK(std::get<Message>(**message).payload.size() == event.payload.size());
}

TEST_CASE("a large message whose deadline passes half way is still sent whole") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const std::vector<std::byte> payload(4U << 20U, std::byte{'x'});
  REQUIRE(client.publish(Publication{.groups = {"g"}, .payload = payload}, at_once()));
  CHECK(client.wants_write() != FakeDaemon::shares_memory());
  std::size_t size = 0;
  const Meanwhile reading([&] {
    const auto heard = daemon.hear_a<SendRequest>();
    size = heard ? heard->payload.size() : 0;
    const auto ping = daemon.hear_a<PingRequest>();
    (void)daemon.say([&](ByteWriter& out) { encode_pong(out, ping ? ping->request : 0); });
  });
  REQUIRE(client.flush(soon()));
  CHECK(size == payload.size());
}

TEST_CASE("an inbox is full at its bound and takes the largest event all the same") {
  Inbox inbox(1000);
  CHECK(inbox.empty());
  Message message;
  message.payload.resize(5000);
  inbox.push(message);
  CHECK(inbox.full());
  inbox.push(Left{.group = "b"});
  CHECK(std::get<Message>(*inbox.pop()).payload.size() == 5000);
  CHECK_FALSE(inbox.full());
  CHECK(std::get<Left>(*inbox.pop()).group == "b");
  CHECK_FALSE(inbox.pop());
}

TEST_CASE("an inbox counts what events have become and not what came") {
  const auto fills = [](const Event& event) {
    Inbox inbox(10000);
    inbox.push(event);
    return inbox.full();
  };
  const std::vector<std::string> names(500, "d");
  const std::vector<MemberName> members(200, MemberName{.session = "s", .daemon = "d"});
  CHECK(fills(Configuration{.id = {}, .daemons = {}, .configured = names}));
  CHECK(fills(Reconnected{.name = {}, .groups = names, .unconfirmed = {}}));
  CHECK(fills(
      Reconnected{.name = {}, .groups = {}, .unconfirmed = std::vector<std::uint64_t>(2000)}));
  CHECK(fills(View{.group = "g", .id = "1", .who = {}, .members = members, .with_me = {}}));
  CHECK(fills(Closed{.reason = std::string(10000, 'x')}));
  CHECK_FALSE(fills(Configuration{}));
  CHECK_FALSE(fills(Left{.group = "g"}));
}

TEST_CASE("an inbox that is never empty does not grow with what has passed through it") {
  Inbox inbox(1U << 20U);
  inbox.push(Left{.group = "first"});
  for (int i = 0; i < 100000; ++i) {
    inbox.push(Left{.group = "g"});
    REQUIRE(inbox.pop());
    REQUIRE_FALSE(inbox.full());
  }
  CHECK_FALSE(inbox.empty());
}

TEST_CASE("outstanding tickets end in any order, each once") {
  Outstanding outstanding;
  for (const std::uint64_t ticket : {2U, 3U, 7U, 9U}) {
    outstanding.add(ticket);
  }
  CHECK(outstanding.remove(7));
  CHECK_FALSE(outstanding.remove(7));
  CHECK_FALSE(outstanding.remove(8));
  CHECK(outstanding.remove(2));
  CHECK(outstanding.take() == std::vector<std::uint64_t>{3, 9});
  CHECK(outstanding.size() == 0);
}
