// SPDX-License-Identifier: Apache-2.0
//
// Coalescing: small messages wait in the client until there are many, and leave in order, whole,
// with whatever call must reach the daemon.
#include <poll.h>

#include <catch2/catch.hpp>

#include "ringcast/client.hpp"

#include "tests/unit/client/fake_daemon.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::size_t limit = 4096;

const std::vector<std::byte>& payload() {
  static const std::vector<std::byte> bytes(100, std::byte{'x'});
  return bytes;
}

Publication small() { return Publication{.groups = {"g"}, .payload = payload(), .confirm = false}; }

Client coalescing_client(FakeDaemon& daemon) {
  auto options = daemon.options();
  options.coalesce_bytes = limit;
  return daemon.meet(options);
}

/// The ticket of the next request, which must be a publish.
std::uint64_t hear_ticket(FakeDaemon& daemon) {
  const auto request = daemon.hear_a<SendRequest>();
  REQUIRE(request);
  CHECK(request->payload.size() == payload().size());
  return request->ticket;
}

}  // namespace

TEST_CASE("small messages wait until there are many, and arrive in order") {
  FakeDaemon daemon;
  auto client = coalescing_client(daemon);
  std::vector<std::uint64_t> waiting;
  while (waiting.empty() || client.wants_write()) {
    const auto ticket = client.try_publish(small());
    REQUIRE(ticket);
    waiting.push_back(*ticket);
    REQUIRE(waiting.size() * payload().size() <= limit);
  }
  CHECK(waiting.size() > limit / (payload().size() + 64));
  for (const auto ticket : waiting) {
    CHECK(hear_ticket(daemon) == ticket);
  }
}

TEST_CASE("what waits leaves at the end of a burst, with a receive, a question and a goodbye") {
  FakeDaemon daemon;
  auto client = coalescing_client(daemon);
  const auto publish = [&] {
    const auto ticket = client.try_publish(small());
    REQUIRE(ticket);
    REQUIRE(client.wants_write());
    return *ticket;
  };
  auto ticket = publish();
  REQUIRE(client.write_coalesced());
  CHECK_FALSE(client.wants_write());
  CHECK(hear_ticket(daemon) == ticket);

  ticket = publish();
  REQUIRE(client.try_receive());
  CHECK_FALSE(client.wants_write());
  CHECK(hear_ticket(daemon) == ticket);

  ticket = publish();
  CHECK(client.status(at_once()).error().code == Errc::timed_out);
  CHECK(hear_ticket(daemon) == ticket);
  REQUIRE(daemon.hear_a<StatusRequest>());

  publish();
  std::size_t heard = 0;
  {
    const Meanwhile reading([&] { heard = daemon.hear_goodbye(); });
    REQUIRE(client.close(soon()));
  }
  CHECK(heard == 1);
}

TEST_CASE("a message beyond the limit takes with it what waited before") {
  FakeDaemon daemon;
  auto client = coalescing_client(daemon);
  const auto first = client.try_publish(small());
  REQUIRE(first);
  const std::vector<std::byte> large(2 * limit, std::byte{'y'});
  const auto second =
      client.try_publish(Publication{.groups = {"g"}, .payload = large, .confirm = false});
  REQUIRE(second);
  CHECK_FALSE(client.wants_write());
  CHECK(hear_ticket(daemon) == *first);
  const auto request = daemon.hear_a<SendRequest>();
  REQUIRE(request);
  CHECK(request->ticket == *second);
  CHECK(request->payload.size() == large.size());
}

TEST_CASE("an event loop sends what waits because it watches wants_write()") {
  FakeDaemon daemon;
  auto client = coalescing_client(daemon);
  const auto ticket = client.try_publish(small());
  REQUIRE(ticket);
  REQUIRE(client.wants_write());
  pollfd entry{.fd = client.fd(), .events = POLLOUT, .revents = 0};
  REQUIRE(::poll(&entry, 1, 10000) == 1);
  REQUIRE(client.try_receive());
  CHECK(hear_ticket(daemon) == *ticket);
}

TEST_CASE("a limit that would leave no room for a message is refused") {
  FakeDaemon daemon;
  auto options = daemon.options();
  options.coalesce_bytes = std::size_t{1} << 20U;
  CHECK(Client::connect(options).error().code == Errc::invalid_argument);
}
