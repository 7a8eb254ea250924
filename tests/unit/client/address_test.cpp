// SPDX-License-Identifier: Apache-2.0
//
// A daemon whose name has several addresses: one that fails, in whichever way, does not hide
// the others. Names that end in ".test" are resolved here, so that nothing depends on a host's
// network; all others go to the C library.
#include <array>
#include <atomic>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>

#include "ringcast/client.hpp"

#include "client/attempt.hpp"
#include "tests/unit/client/fake_daemon.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

std::atomic<int> names_looked_up{0};

int libc_getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) {
  static const auto real =
      reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, port, hints, found);
}

/// Some other address and then 127.0.0.1. The other is 127.0.0.2, or for strange-family.test one
/// of a family that no kernel has.
int resolve_for_test(
    std::string_view host, const char* port, const addrinfo* hints, addrinfo** found) {
  ++names_looked_up;
  int failed = libc_getaddrinfo("127.0.0.2", port, hints, found);
  if (failed != 0) return failed;
  addrinfo* second = nullptr;
  failed = libc_getaddrinfo("127.0.0.1", port, hints, &second);
  if (failed != 0) return failed;
  if (host == "strange-family.test") (*found)->ai_addr->sa_family = AF_MAX - 1;
  (*found)->ai_next = second;
  return 0;
}

/// 127.0.0.2 at the daemon's port: a listener that never accepts.
class SilentListener {
 public:
  SilentListener(std::uint16_t port, int backlog) {
    REQUIRE(fd_ != -1);
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    REQUIRE(::bind(fd_, generic(), sizeof(address_)) == 0);
    REQUIRE(::listen(fd_, backlog) == 0);
  }
  ~SilentListener() {
    (void)::close(fd_);
    for (const int filler : fillers_) {
      (void)::close(filler);
    }
  }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;
  SilentListener(SilentListener&&) = delete;
  SilentListener& operator=(SilentListener&&) = delete;

  /// Its queue full, the kernel drops what else comes, as a black hole on the way would.
  void fill() {
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(filler, generic(), sizeof(address_));
    }
  }

 private:
  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }

  int fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address_{};
  std::array<int, 4> fillers_{-1, -1, -1, -1};
};

ClientOptions by_name(
    const FakeDaemon& daemon,
    std::string_view host,
    std::chrono::milliseconds timeout = std::chrono::seconds{20}) {
  auto options = daemon.options();
  options.connect_timeout = timeout;
  options.server = std::string(host) + ":" + std::to_string(daemon.port());
  return options;
}

Error refused() { return Error{Errc::unreachable, "refused"}; }

std::vector<Address> addresses(const std::vector<std::string>& names) {
  std::vector<Address> all;
  for (const auto& name : names) {
    all.emplace_back().text = name;
  }
  return all;
}

}  // namespace

// In place of the C library's, for the whole program.
extern "C" int getaddrinfo(  // NOLINT(readability-inconsistent-declaration-parameter-name)
    const char* host,
    const char* port,
    const addrinfo* hints,
    addrinfo** found) {
  const std::string_view name = host == nullptr ? "" : host;
  if (name.ends_with(".test")) return resolve_for_test(name, port, hints, found);
  return libc_getaddrinfo(host, port, hints, found);
}

TEST_CASE("an address that refuses does not hide the next") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  const auto client = daemon.meet(by_name(daemon, "two.test"));
  CHECK(client.fd() >= 0);
}

TEST_CASE("an address of a family the host does not have does not hide the next") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  const auto client = daemon.meet(by_name(daemon, "strange-family.test"));
  CHECK(client.fd() >= 0);
}

TEST_CASE("an address that swallows what is sent to it does not hide the next") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  SilentListener black_hole(daemon.port(), 0);
  black_hole.fill();
  const auto client = daemon.meet(by_name(daemon, "two.test", std::chrono::seconds{3}));
  CHECK(client.fd() >= 0);
}

TEST_CASE("an address where nobody speaks does not hide the next") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  const SilentListener mute(daemon.port(), 8);
  const auto client = daemon.meet(by_name(daemon, "two.test", std::chrono::seconds{3}));
  CHECK(client.fd() >= 0);
}

TEST_CASE("when every address fails the most telling failure is told") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  auto options = by_name(daemon, "strange-family.test");
  daemon.vanish();
  const auto client = Client::connect(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().code == Errc::unreachable);
  CHECK(client.error().message.find("refused") != std::string::npos);
}

TEST_CASE("a name is looked up once, and a lost session renewed where it was") {
  FakeDaemon daemon{FakeDaemon::Tcp{}};
  auto options = by_name(daemon, "two.test");
  options.reconnect = true;
  const int before = names_looked_up;
  auto client = daemon.meet(options);
  // From now on the first address would cost ten seconds.
  const SilentListener mute(daemon.port(), 8);
  daemon.hang_up();
  const Meanwhile back([&] { (void)daemon.greet(); });
  const auto enough = Client::Clock::now() + std::chrono::seconds{8};
  const auto closed = client.receive_until(enough);
  REQUIRE(closed);
  CHECK(std::get<Closed>(*closed).reconnecting);
  const auto reconnected = client.receive_until(enough);
  REQUIRE(reconnected);
  CHECK(std::holds_alternative<Reconnected>(*reconnected));
  CHECK(names_looked_up == before + 1);
}

TEST_CASE("an attempt shares its time among the addresses that are left") {
  const Client::Deadline start{std::chrono::hours{1}};
  const auto after = [&](int seconds) { return start + std::chrono::seconds{seconds}; };
  Attempt attempt;
  attempt.set_addresses(addresses({"a", "b", "c"}));
  CHECK_FALSE(attempt.under_way());
  attempt.begin(start, std::chrono::seconds{6});
  CHECK(attempt.under_way());
  CHECK(attempt.address().text == "a");
  CHECK(attempt.address_ends(start) == after(2));
  CHECK(attempt.failed(refused()));
  CHECK(attempt.address().text == "b");
  CHECK(attempt.address_ends(start) == after(3));
  CHECK(attempt.failed(refused()));
  CHECK(attempt.address_ends(after(3)) == after(6));
  CHECK_FALSE(attempt.failed(refused()));
  CHECK_FALSE(attempt.under_way());
}

TEST_CASE("an attempt begins with the address that served last") {
  Attempt attempt;
  attempt.set_addresses(addresses({"a", "b"}));
  attempt.begin({}, std::chrono::seconds{1});
  REQUIRE(attempt.failed(refused()));
  attempt.end();
  attempt.begin({}, std::chrono::seconds{1});
  CHECK(attempt.address().text == "b");
  REQUIRE(attempt.failed(refused()));
  CHECK(attempt.address().text == "a");
  CHECK_FALSE(attempt.failed(refused()));
}

TEST_CASE("an attempt tells the first of the most telling failures") {
  Attempt attempt;
  attempt.set_addresses(addresses({"a", "b", "c", "d", "e"}));
  attempt.begin({}, std::chrono::seconds{1});
  const auto told = [&](Errc code, std::string_view text) {
    (void)attempt.failed(Error{code, std::string(text)});
    return attempt.error().message;
  };
  CHECK(told(Errc::io, "no such family") == "no such family");
  CHECK(told(Errc::unreachable, "refused") == "refused");
  CHECK(told(Errc::unreachable, "no route") == "refused");
  CHECK(told(Errc::timed_out, "silent") == "silent");
  CHECK(told(Errc::io, "no such family") == "silent");
}
