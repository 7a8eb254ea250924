// SPDX-License-Identifier: Apache-2.0
//
// A lost session is made anew: the program is told what it may have missed, its groups are
// joined again, and no call waits beyond its deadline meanwhile.
#include <catch2/catch.hpp>

#include "ringcast/client.hpp"

#include "tests/unit/client/fake_daemon.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

ClientOptions reconnecting(const FakeDaemon& daemon) {
  auto options = daemon.options();
  options.reconnect = true;
  return options;
}

template <class T>
T receive_a(Client& client) {
  auto event = client.receive_until(soon());
  REQUIRE(event);
  REQUIRE(std::holds_alternative<T>(*event));
  return std::get<T>(std::move(*event));
}

Publication publication(bool confirm) {
  return Publication{.groups = {"g"}, .payload = {}, .confirm = confirm};
}

}  // namespace

TEST_CASE("reconnected: groups joined again, unconfirmed tickets told, in that order") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  REQUIRE(client.join("b"));
  REQUIRE(client.join("a"));
  REQUIRE(client.join("gone"));
  REQUIRE(client.leave("gone"));
  const auto confirmed = client.try_publish(publication(true));
  const auto unconfirmed = client.try_publish(publication(true));
  REQUIRE(client.try_publish(publication(false)));
  REQUIRE(confirmed);
  REQUIRE(unconfirmed);
  ConfirmEvent confirm;
  confirm.ticket = *confirmed;
  REQUIRE(daemon.say([&](ByteWriter& out) { encode_confirm(out, confirm); }));
  CHECK(receive_a<Confirmation>(client).ticket == *confirmed);
  daemon.hang_up();

  const auto closed = receive_a<Closed>(client);
  CHECK(closed.reconnecting);
  CHECK_FALSE(closed.reason.empty());
  std::vector<std::string> joined;
  {
    const Meanwhile back([&] {
      if (!daemon.greet()) return;
      for (int i = 0; i < 2; ++i) {
        const auto join = daemon.hear_a<JoinRequest>();
        joined.push_back(join ? join->group : "?");
      }
      (void)daemon.say_message("again");
    });
    CHECK(receive_a<Left>(client).group == "gone");
    const auto reconnected = receive_a<Reconnected>(client);
    CHECK(to_string(reconnected.name) == "#pub#web1");
    CHECK(reconnected.groups == std::vector<std::string>{"a", "b"});
    CHECK(reconnected.unconfirmed == std::vector<std::uint64_t>{*unconfirmed});
    CHECK(receive_a<Message>(client).payload.size() == 5);
  }
  CHECK(joined == std::vector<std::string>{"a", "b"});
  CHECK(client.try_publish(publication(true)).value() > *unconfirmed);
}

TEST_CASE("every leave is answered once, also when the session is lost") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  for (const auto* group : {"answered", "refused", "lost", "later", "kept"}) {
    REQUIRE(client.join(group));
  }
  REQUIRE(client.leave("answered"));
  REQUIRE(client.leave("refused"));
  REQUIRE(client.leave("lost"));
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_left(out, "answered");
    encode_refused(out, 0, "refused", Error{Errc::not_member, "never joined"});
  }));
  CHECK(receive_a<Left>(client).group == "answered");
  CHECK(receive_a<Refused>(client).group == "refused");
  daemon.hang_up();
  CHECK(receive_a<Closed>(client).reconnecting);
  REQUIRE(client.leave("later"));
  const Meanwhile back([&] { (void)daemon.greet(); });
  CHECK(receive_a<Left>(client).group == "later");
  CHECK(receive_a<Left>(client).group == "lost");
  CHECK(receive_a<Reconnected>(client).groups == std::vector<std::string>{"kept"});
  CHECK_FALSE(client.has_event());
}

TEST_CASE("while disconnected nothing waits beyond its deadline") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  daemon.vanish();
  daemon.hang_up();
  CHECK(receive_a<Closed>(client).reconnecting);
  CHECK(client.fd() == -1);
  REQUIRE(client.next_attempt());
  CHECK(client.try_publish(publication(true)).error().code == Errc::would_block);
  CHECK(client.publish(publication(true), at_once()).error().code == Errc::timed_out);
  CHECK(client.status(at_once()).error().code == Errc::timed_out);
  CHECK(client.flush(at_once()).error().code == Errc::timed_out);
  const auto a_little_later = Client::Clock::now() + std::chrono::milliseconds{30};
  CHECK(client.receive_until(a_little_later).error().code == Errc::timed_out);
  CHECK(client.join("g"));
  CHECK(client.close(at_once()).error().code == Errc::closed);
}

TEST_CASE("a blocked publish survives the loss of the session") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  daemon.hang_up();
  std::optional<SendRequest> heard;
  {
    const Meanwhile back([&] {
      if (daemon.greet()) heard = daemon.hear_a<SendRequest>();
    });
    CHECK(receive_a<Closed>(client).reconnecting);
    REQUIRE(client.publish(publication(true), soon()));
  }
  CHECK(heard);
  CHECK(receive_a<Reconnected>(client).unconfirmed.empty());
}

TEST_CASE("a wait for a confirmation ends when the session is lost") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  {
    const Meanwhile dying([&] {
      (void)daemon.hear_a<SendRequest>();
      daemon.hang_up();
    });
    const auto confirmed = client.publish_and_wait(publication(true), soon());
    REQUIRE_FALSE(confirmed);
    CHECK(confirmed.error().code == Errc::closed);
  }
  CHECK(receive_a<Closed>(client).reconnecting);
  const Meanwhile back([&] { (void)daemon.greet(); });
  CHECK(receive_a<Reconnected>(client).unconfirmed.empty());
}

TEST_CASE("a name still in use is asked for again, another version is not") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  daemon.hang_up();
  const auto refuse = [&](Errc code) {
    if (!daemon.accept()) return;
    (void)daemon.hear_a<HelloRequest>();
    (void)daemon.say([&](ByteWriter& out) { encode_closed(out, Error{code, "not now"}); });
  };
  CHECK(receive_a<Closed>(client).reconnecting);
  {
    const Meanwhile back([&] {
      refuse(Errc::name_in_use);
      refuse(Errc::name_in_use);
      (void)daemon.greet();
    });
    (void)receive_a<Reconnected>(client);
  }
  daemon.hang_up();
  CHECK(receive_a<Closed>(client).reconnecting);
  const Meanwhile back([&] { refuse(Errc::unsupported_version); });
  CHECK_FALSE(receive_a<Closed>(client).reconnecting);
  CHECK(client.receive().error().code == Errc::closed);
}

TEST_CASE("garbage instead of a welcome is another failed attempt") {
  FakeDaemon daemon;
  auto client = daemon.meet(reconnecting(daemon));
  daemon.hang_up();
  CHECK(receive_a<Closed>(client).reconnecting);
  const Meanwhile back([&] {
    if (daemon.accept()) (void)daemon.say_message("too early");
    (void)daemon.greet();
  });
  (void)receive_a<Reconnected>(client);
}
