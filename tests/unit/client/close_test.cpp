// SPDX-License-Identifier: Apache-2.0
//
// The end of a session that the program wants: close() succeeds when the daemon has taken
// everything, and only then.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "ringcast/client.hpp"

#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/node/cluster.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

/// More than a socket takes at once.
const std::vector<std::byte>& large() {
  static const std::vector<std::byte> payload(7U << 20U, std::byte{'x'});
  return payload;
}

Publication publication() {
  return Publication{.groups = {"g"}, .payload = large(), .confirm = false};
}

}  // namespace

TEST_CASE("close says goodbye, hands over what waits and outlasts unread events") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(client.try_publish(publication()));
  std::size_t heard = 0;
  {
    const Meanwhile taking([&] {
      (void)daemon.say_message("unread");
      heard = daemon.hear_goodbye();
      daemon.hang_up();
    });
    CHECK(client.close(soon()));
  }
  CHECK(heard == 1);
  CHECK(client.receive().error().code == Errc::closed);
  CHECK(client.close(soon()).error().code == Errc::closed);
}

TEST_CASE("close reads on when more comes than the inbox takes") {
  FakeDaemon daemon;
  auto options = daemon.options();
  options.inbox_bytes_max = 1;
  auto client = daemon.meet(options);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(daemon.say_message("unread"));
  }
  // The line stays open, so nothing but the answer ends the wait.
  const Meanwhile answering([&] { (void)daemon.hear_goodbye(); });
  CHECK(client.close(soon()));
}

TEST_CASE("close does not wait beyond its deadline") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  CHECK(client.close(at_once()).error().code == Errc::timed_out);
  CHECK(client.fd() == -1);
}

TEST_CASE("close fails when the daemon dies before it has taken everything") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  REQUIRE(client.try_publish(publication()));
  REQUIRE(client.wants_write() != FakeDaemon::shares_memory());
  daemon.hang_up();
  const auto closed = client.close(soon());
  REQUIRE_FALSE(closed);
  CHECK(closed.error().code == Errc::closed);
  CHECK(client.fd() == -1);
}

TEST_CASE("close drops what was not received, also when the session is over already") {
  FakeDaemon daemon;
  auto client = daemon.meet(daemon.options());
  (void)daemon.say_message("unread");
  daemon.hang_up();
  CHECK(client.flush(soon()).error().code == Errc::closed);
  CHECK(client.has_event());
  CHECK(client.close(soon()).error().code == Errc::closed);
  CHECK(client.receive().error().code == Errc::closed);
}

TEST_CASE("close fails when the goodbye is not answered, or with something else") {
  for (const bool says_why : {false, true}) {
    FakeDaemon daemon;
    auto client = daemon.meet(daemon.options());
    const Meanwhile leaving([&] {
      (void)daemon.hear_a<GoodbyeRequest>();
      if (says_why) (void)daemon.say_closed(Errc::closed, "daemon stopped");
      daemon.hang_up();
    });
    const auto closed = client.close(soon());
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == Errc::closed);
    CHECK((closed.error().message.find("daemon stopped") != std::string::npos) == says_why);
  }
}

TEST_CASE("a daemon answers a goodbye with the words that close waits for [SES-13]") {
  node_test::Cluster cluster({"a"});
  cluster.form();
  const auto client = cluster.client(0, "pub");
  cluster.send(0, client, [](ByteWriter& out) { encode_goodbye(out); });
  const auto closed = cluster.frames<ClosedFrame>(0, client);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason.code == Errc::closed);
  CHECK(closed[0].reason.message == "goodbye");
}
