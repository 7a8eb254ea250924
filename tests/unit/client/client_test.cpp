// SPDX-License-Identifier: Apache-2.0
//
// The client library against a daemon that does exactly what the test says: greeting, events,
// requests and their answers, and every way a session ends.
#include "ringcast/client.hpp"

#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "tests/unit/client/fake_daemon.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

template <class T>
T receive_a(Client& client) {
  auto event = client.receive_until(soon());
  REQUIRE(event);
  REQUIRE(std::holds_alternative<T>(*event));
  return std::get<T>(std::move(*event));
}

Publication publication(const std::vector<std::byte>& payload) {
  return Publication{.groups = {"weblogs"}, .payload = payload};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

RingId ring(std::uint64_t seq) {
  return RingId{.seq = seq, .representative = NodeId{7}, .boot = BootId{0x5f0c9a31}};
}

}  // namespace

TEST_CASE("a client knows its name and the daemon's limit") {
  FakeDaemon daemon;
  const auto client = daemon.meet(daemon.options());
  CHECK(to_string(client.name()) == "#pub#web1");
  CHECK(client.message_bytes_max() == 8U << 20U);
  CHECK(client.fd() >= 0);
  CHECK_FALSE(client.wants_write());
  CHECK_FALSE(client.has_event());
  CHECK_FALSE(client.next_attempt());
}

TEST_CASE("over TCP the kernel watches for a daemon that has gone without a word [SES-17]") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  const auto client = daemon.meet(daemon.options());
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t length = sizeof(value);
    REQUIRE(::getsockopt(client.fd(), level, name, &value, &length) == 0);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 5);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 2);
  CHECK(option(IPPROTO_TCP, TCP_KEEPCNT) == 3);
}

TEST_CASE("a client is welcomed at whatever moment the daemon answers") {
  FakeDaemon daemon;
  for (int i = 0; i < 2000; ++i) {
    const auto client = daemon.meet(daemon.options());
    REQUIRE(client.name().session == "pub");
  }
}

TEST_CASE("an unreachable daemon: the path, the cause and the remedy") {
  FakeDaemon daemon;
  const auto options = daemon.options();
  daemon.vanish();
  const auto client = Client::connect(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().code == Errc::unreachable);
  CHECK(contains(client.error().message, daemon.path()));
  CHECK(contains(client.error().message, "ringcastd"));
}

TEST_CASE("addresses that cannot be are refused at once") {
  const auto refuses = [](const ClientOptions& options) {
    const auto client = Client::connect(options);
    return !client && client.error().code == Errc::invalid_argument;
  };
  ClientOptions options;
  options.socket = "/" + std::string(200, 'x');
  CHECK(refuses(options));
  for (const auto* server :
       {"nowhere", "::1:4914", "[]:4914", ":1", "host:", "host:0", "127.0.0.1:73450"}) {
    options.server = server;
    CHECK(refuses(options));
  }
  options = ClientOptions{};
  options.socket = "/x";
  options.name = "a#b";
  CHECK(refuses(options));
}

TEST_CASE("options outside their limits are refused before anything is tried") {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  const auto refuses = [](auto change) {
    FakeDaemon daemon;
    auto options = daemon.options();
    change(options);
    const auto client = Client::connect(options);
    return !client && client.error().code == Errc::invalid_argument;
  };
  for (const milliseconds time : {milliseconds{0}, milliseconds{-1}, milliseconds{hours{25}}}) {
    CHECK(refuses([&](ClientOptions& options) { options.connect_timeout = time; }));
    CHECK(refuses([&](ClientOptions& options) { options.reconnect_delay_min = time; }));
    CHECK(refuses([&](ClientOptions& options) { options.reconnect_delay_max = time; }));
  }
  CHECK(refuses([](ClientOptions& options) { options.connect_timeout = milliseconds::max(); }));
  CHECK(refuses([](ClientOptions& options) {
    options.reconnect_delay_min = 2 * options.reconnect_delay_max;
  }));
  CHECK(refuses([](ClientOptions& options) { options.inbox_bytes_max = 0; }));
}

TEST_CASE("RINGCAST_SOCKET chooses the default socket") {
  REQUIRE(::setenv("RINGCAST_SOCKET", "/some/where.sock", 1) == 0);
  CHECK(default_socket() == "/some/where.sock");
  REQUIRE(::unsetenv("RINGCAST_SOCKET") == 0);
  CHECK_FALSE(contains(default_socket(), "where"));
}

TEST_CASE("a daemon that refuses the greeting says why") {
  FakeDaemon daemon;
  const Meanwhile refusing([&] {
    (void)daemon.accept();
    (void)daemon.say([](ByteWriter& out) {
      encode_closed(out, Error{Errc::name_in_use, "the name pub is taken"});
    });
  });
  const auto client = Client::connect(daemon.options());
  REQUIRE_FALSE(client);
  CHECK(client.error().code == Errc::name_in_use);
  CHECK(client.error().message == "the name pub is taken");
}

TEST_CASE("a listener that never answers is given up in time") {
  FakeDaemon daemon;
  auto options = daemon.options();
  options.connect_timeout = std::chrono::milliseconds{20};
  const auto client = Client::connect(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().code == Errc::timed_out);
}

TEST_CASE("events carry names for the numbers of the frames") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const ViewEvent view{
      .group = "weblogs",
      .id = {.configuration = ring(17), .next = ring(21), .number = 3},
      .cause = Cause::network,
      .who = {},
      .members = {{NodeId{7}, "pub", {}}, {NodeId{9}, "w", {}}, {NodeId{0xabc}, "x", {}}},
      .with_me = {{NodeId{7}, "pub", {}}}};
  REQUIRE(daemon.say([&](ByteWriter& out) {
    encode_configuration(out, {.id = ring(17), .daemons = {NodeId{7}}});
    encode_view(out, view);
    encode_transitional(out, "weblogs");
    encode_left(out, "weblogs");
  }));
  REQUIRE(daemon.say_message("payload"));

  const auto configuration = receive_a<Configuration>(client);
  CHECK(to_string(configuration.id) == "17.web1.5f0c9a31");
  CHECK(configuration.daemons == std::vector<std::string>{"web1"});
  CHECK(configuration.configured == std::vector<std::string>{"log1", "web1"});
  CHECK_FALSE(configuration.has_majority());

  const auto seen = receive_a<View>(client);
  CHECK(seen.id == "17.web1.5f0c9a31~21.web1.5f0c9a31/3");
  CHECK(seen.members.size() == 3);
  CHECK(to_string(seen.members[1]) == "#w#log1");
  CHECK(seen.members[2].daemon == "00000abc");
  CHECK(receive_a<Transitional>(client).group == "weblogs");
  CHECK(receive_a<Left>(client).group == "weblogs");

  const auto message = receive_a<Message>(client);
  CHECK(to_string(message.position.configuration) == "17.web1.5f0c9a31");
  CHECK(message.position.seq == 4211);
  CHECK(message.position.index == 3);
  CHECK(to_string(message.sender) == "#w#log1");
  CHECK(message.service == Service::safe);
  CHECK(message.type == 5);
  CHECK(message.payload.size() == 7);
}

TEST_CASE("a table sent again renames what follows") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say([&](ByteWriter& out) {
    encode_daemons(out, {{NodeId{7}, "web1"}, {NodeId{0xabc}, "new"}});
    encode_configuration(out, {.id = ring(18), .daemons = {NodeId{7}, NodeId{0xabc}}});
  }));
  CHECK(receive_a<Configuration>(client).daemons == std::vector<std::string>{"web1", "new"});
}

namespace {

/// What a client was shown, in order: messages by sender, position, groups and payload.
std::vector<std::string> show_all(Client& client) {
  std::vector<std::string> story;
  const auto on_message = [&](const MessageView& view) {
    const auto kept = view.copy();
    std::string text = to_string(kept.sender) + " " + to_string(kept.position.configuration) + "/" +
                       std::to_string(kept.position.seq) + "/" +
                       std::to_string(kept.position.index);
    for (const auto& group : kept.groups) {
      text += " " + group;
    }
    text += kept.service == Service::safe && kept.type == 5 && !kept.transitional ? " " : " ? ";
    text.append(reinterpret_cast<const char*>(view.payload.data()), view.payload.size());
    story.push_back(std::move(text));
  };
  const auto on_other = [&](const Event& event) {
    story.emplace_back(std::holds_alternative<Left>(event) ? "left" : "?");
  };
  for (;;) {
    const auto any = client.try_receive(on_message, on_other);
    REQUIRE(any);
    if (!*any) return story;
  }
}

}  // namespace

TEST_CASE("a client is shown messages where they lie, and other events between them") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  using Story = std::vector<std::string>;
  CHECK(show_all(client).empty());
  REQUIRE(daemon.say_message("one"));
  REQUIRE(daemon.say([](ByteWriter& out) { encode_left(out, "weblogs"); }));
  REQUIRE(daemon.say_message("two"));
  const std::string place = "#w#log1 17.web1.5f0c9a31/4211/3 weblogs ";
  CHECK((show_all(client) == Story{place + "one", "left", place + "two"}));
  // A name that comes later counts from then on.
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_daemons(out, {{NodeId{7}, "web7"}, {NodeId{9}, "log9"}});
  }));
  REQUIRE(daemon.say_message("three"));
  CHECK((show_all(client) == Story{"#w#log9 17.web7.5f0c9a31/4211/3 weblogs three"}));
  const auto nothing = client.try_receive();
  REQUIRE(nothing);
  CHECK_FALSE(nothing->has_value());
}

TEST_CASE("a message that waits in the inbox is shown too, and before what came after it") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say_message("early"));
  const Meanwhile answering([&] {
    const auto ping = daemon.hear_a<PingRequest>();
    if (!ping) return;
    (void)daemon.say([&](ByteWriter& out) { encode_pong(out, ping->request); });
  });
  REQUIRE(client.flush(soon()));
  REQUIRE(daemon.say_message("late"));
  const auto story = show_all(client);
  REQUIRE(story.size() == 2);
  CHECK(story[0].ends_with(" early"));
  CHECK(story[1].ends_with(" late"));
}

TEST_CASE("a client that waits without a deadline wakes for what comes") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  CHECK(client.receive_until(at_once()).error().code == Errc::timed_out);
  const auto nothing = client.try_receive();
  REQUIRE(nothing);
  CHECK_FALSE(nothing->has_value());
  const Meanwhile talking([&] { (void)daemon.say_message("late"); });
  const auto event = client.receive();
  REQUIRE(event);
  CHECK(std::holds_alternative<Message>(*event));
}

TEST_CASE("a publish arrives as it was made") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const std::vector<std::byte> payload(3, std::byte{'x'});
  auto message = publication(payload);
  message.groups.emplace_back("#w#log1");
  message.service = Service::safe;
  message.type = -7;
  message.echo = false;
  const auto ticket = client.try_publish(message);
  REQUIRE(ticket);
  const auto heard = daemon.hear_a<SendRequest>();
  REQUIRE(heard);
  CHECK(heard->ticket == *ticket);
  CHECK(heard->groups == message.groups);
  CHECK(heard->service == Service::safe);
  CHECK(heard->type == -7);
  CHECK_FALSE(heard->echo);
  CHECK(heard->confirm);
  CHECK(heard->payload.size() == 3);
}

TEST_CASE("a publish outside the limits is refused before anything is sent") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const std::vector<std::byte> payload((8U << 20U) + 1);
  const auto large = client.try_publish(publication(payload));
  REQUIRE_FALSE(large);
  CHECK(large.error().code == Errc::too_large);
  CHECK(contains(large.error().message, "8388609"));
  CHECK(contains(large.error().message, "8388608"));
  CHECK(client.try_publish(Publication{}).error().code == Errc::invalid_argument);
  CHECK(
      client.try_publish(Publication{.groups = {"no space"}, .payload = {}}).error().code ==
      Errc::invalid_argument);
  const std::vector<std::string> many(65, "g");
  CHECK(
      client.try_publish(Publication{.groups = many, .payload = {}}).error().code ==
      Errc::invalid_argument);
  REQUIRE(client.try_publish(Publication{.groups = {"g"}, .payload = {}}));
  CHECK(daemon.hear_a<SendRequest>());
}

TEST_CASE("joins and leaves are asked once, and a refused join may be asked again") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  CHECK(client.leave("g").error().code == Errc::not_member);
  CHECK(client.join("#a#b").error().code == Errc::invalid_argument);
  REQUIRE(client.join("g"));
  CHECK(client.join("g").error().code == Errc::already_member);
  REQUIRE(daemon.hear_a<JoinRequest>());
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_refused(out, 0, "g", Error{Errc::limit_exceeded, "too many groups"});
  }));
  const auto refused = receive_a<Refused>(client);
  CHECK(refused.group == "g");
  CHECK(refused.error.code == Errc::limit_exceeded);
  REQUIRE(client.join("g"));
  REQUIRE(daemon.hear_a<JoinRequest>());
  REQUIRE(client.leave("g"));
  CHECK(daemon.hear_a<LeaveRequest>());
}

TEST_CASE("publish_and_wait takes its confirmation and leaves the others") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const std::vector<std::byte> payload(3, std::byte{'x'});
  const auto first = client.try_publish(publication(payload));
  REQUIRE(first);
  const Meanwhile confirming([&] {
    for (int i = 0; i < 2; ++i) {
      const auto heard = daemon.hear_a<SendRequest>();
      if (!heard) return;
      (void)daemon.say([&](ByteWriter& out) {
        encode_confirm(
            out,
            {.ticket = heard->ticket,
             .configuration = ring(17),
             .seq = Seq{5},
             .index = 0,
             .stable = true,
             .transitional = false});
      });
    }
  });
  const auto confirmed = client.publish_and_wait(publication(payload), soon());
  REQUIRE(confirmed);
  CHECK(confirmed->is_kept());
  CHECK(confirmed->ticket > *first);
  CHECK(receive_a<Confirmation>(client).ticket == *first);
}

TEST_CASE("a refused publish ends the wait for it, or arrives as an event") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  const std::vector<std::byte> payload(3, std::byte{'x'});
  const auto refuse = [&] {
    const auto heard = daemon.hear_a<SendRequest>();
    if (!heard) return;
    (void)daemon.say([&](ByteWriter& out) {
      encode_refused(out, heard->ticket, "", Error{Errc::too_large, "too long"});
    });
  };
  {
    const Meanwhile refusing(refuse);
    CHECK(client.publish_and_wait(publication(payload), soon()).error().code == Errc::too_large);
  }
  const auto ticket = client.try_publish(publication(payload));
  REQUIRE(ticket);
  refuse();
  CHECK(receive_a<Refused>(client).ticket == *ticket);
}

TEST_CASE("questions are answered, and late answers to others are not taken for it") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  CHECK(client.status(at_once()).error().code == Errc::timed_out);
  const auto abandoned = daemon.hear_a<StatusRequest>();
  REQUIRE(abandoned);
  NodeStatus status;
  status.daemon = "web1";
  const Meanwhile answering([&] {
    const auto ping = daemon.hear_a<PingRequest>();
    const auto say_pong = [&](ByteWriter& out) { encode_pong(out, ping ? ping->request : 0); };
    (void)daemon.say(say_pong);
    const auto groups = daemon.hear_a<GroupsRequest>();
    (void)daemon.say([&](ByteWriter& out) {
      encode_status_reply(out, abandoned->request, {});
      encode_groups_reply(out, groups ? groups->request : 0, {{"g", {{NodeId{9}, "w", {}}}}});
    });
    const auto asked = daemon.hear_a<StatusRequest>();
    (void)daemon.say(
        [&](ByteWriter& out) { encode_status_reply(out, asked ? asked->request : 0, status); });
  });
  REQUIRE(client.flush(soon()));
  const auto groups = client.groups("", soon());
  REQUIRE(groups);
  REQUIRE(groups->size() == 1);
  CHECK(to_string(groups->at(0).members.at(0)) == "#w#log1");
  const auto answer = client.status(soon());
  REQUIRE(answer);
  CHECK(answer->daemon == "web1");
  CHECK_FALSE(client.has_event());
}

TEST_CASE("the reason the daemon gives is the reason the program sees") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say_message("before"));
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_closed(out, Error{Errc::limit_exceeded, "64 MiB unread"});
  }));
  daemon.hang_up();
  CHECK(receive_a<Message>(client).payload.size() == 6);
  const auto closed = receive_a<Closed>(client);
  CHECK(closed.reason == "64 MiB unread");
  CHECK_FALSE(closed.reconnecting);
  CHECK(client.fd() == -1);
  CHECK(client.receive_until(soon()).error().code == Errc::closed);
  CHECK(contains(client.join("g").error().message, "64 MiB unread"));
  CHECK(client.status(soon()).error().code == Errc::closed);
  CHECK(client.close(soon()).error().code == Errc::closed);
}

TEST_CASE("a write to a daemon that has gone still finds the reason it left behind") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_closed(out, Error{Errc::closed, "daemon stopped"});
  }));
  daemon.hang_up();
  const std::vector<std::byte> payload(3, std::byte{'x'});
  const auto ticket = client.try_publish(publication(payload));
  if (FakeDaemon::shares_memory()) {  // which takes it all the same
    REQUIRE(ticket);
    CHECK(std::get<Closed>(*client.receive_until(soon())).reason == "daemon stopped");
    return;
  }
  REQUIRE_FALSE(ticket);
  CHECK(ticket.error().code == Errc::closed);
  CHECK(contains(ticket.error().message, "daemon stopped"));
}

TEST_CASE("garbage from the daemon ends the session with a reason") {
  const std::vector<std::vector<std::uint8_t>> pieces = {
      {0, 0, 0, 0},
      {255, 255, 255, 255},
      {1, 0, 0, 0, 0x01},
      {1, 0, 0, 0, 0x81},
      {3, 0, 0, 0, 0x88, 1, 2},
      {9, 0, 0, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0}};
  for (const auto& piece : pieces) {
    FakeDaemon daemon;
    auto client = daemon.meet(daemon.options());
    REQUIRE(daemon.send(std::as_bytes(std::span{piece})));
    CHECK_FALSE(receive_a<Closed>(client).reason.empty());
  }
}
