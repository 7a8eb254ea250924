// SPDX-License-Identifier: Apache-2.0
#include "daemon/address.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "daemon/udp_path.hpp"

namespace ringcast {
namespace {

SocketAddress parsed(const std::string& text) {
  const auto address = SocketAddress::parse(text);
  REQUIRE(address);
  return *address;
}

}  // namespace

TEST_CASE("addresses are read and written alike", "[address]") {
  for (const auto* text :
       {"127.0.0.1:4913",
        "10.1.2.3:1",
        "0.0.0.0:65535",
        "[::1]:4913",
        "[2001:db8::1]:80",
        "[fe80::1%eth0]:80"}) {
    CHECK(to_string(parsed(text)) == text);
  }
  CHECK(parsed("[0:0::1]:7") == parsed("[::1]:7"));
}

TEST_CASE("what is no address is refused", "[address]") {
  for (const auto* text :
       {"",
        ":",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:1x",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.1:5",
        "localhost:5",
        "::1:5",
        "[::1]",
        "[::1]5",
        "[::1:5",
        "[127.0.0.1]:5",
        "[fe80::1%]:5",
        "[fe80::1%eth 0]:5",
        "[fe80::1%sixteen_letters.]:5",
        " 127.0.0.1:5"}) {
    CAPTURE(text);
    CHECK_FALSE(SocketAddress::parse(text));
  }
}

TEST_CASE("the interface of an address is looked up when asked for", "[address]") {
  auto plain = parsed("[fe80::1]:5");
  CHECK(plain.scope().empty());
  CHECK(plain.resolve_scope());
  auto elsewhere = parsed("[fe80::1%nosuchinterf]:5");
  CHECK(elsewhere.scope() == "nosuchinterf");
  CHECK_FALSE(elsewhere.resolve_scope());
  auto here = parsed("[fe80::1%lo]:5");
  REQUIRE(here.resolve_scope());
  sockaddr_in6 native{};
  std::memcpy(&native, here.native(), here.native_bytes());
  CHECK(native.sin6_scope_id == if_nametoindex("lo"));
}

TEST_CASE("addresses are equal when host and port are", "[address]") {
  CHECK(parsed("10.0.0.1:1") == parsed("10.0.0.1:1"));
  CHECK_FALSE(parsed("10.0.0.1:1") == parsed("10.0.0.1:2"));
  CHECK_FALSE(parsed("10.0.0.1:1") == parsed("10.0.0.2:1"));
  CHECK_FALSE(parsed("0.0.0.0:1") == parsed("[::]:1"));
  CHECK(parsed("10.0.0.1:1").same_host(parsed("10.0.0.1:2")));
  CHECK(parsed("10.0.0.1:1").hash() == parsed("10.0.0.1:1").hash());
}

TEST_CASE("kinds of addresses are told apart", "[address]") {
  CHECK(parsed("239.1.1.1:1").is_multicast());
  CHECK(parsed("[ff15::1]:1").is_multicast());
  CHECK_FALSE(parsed("10.0.0.1:1").is_multicast());
  CHECK(parsed("127.9.8.7:1").is_loopback());
  CHECK(parsed("[::1]:1").is_loopback());
  CHECK_FALSE(parsed("[::2]:1").is_loopback());
  CHECK(parsed("0.0.0.0:1").is_unspecified());
  CHECK(parsed("[::]:1").is_unspecified());
}

TEST_CASE("all of 127/8 is local where the loopback is", "[address]") {
  const std::vector<LocalAddress> locals{
      LocalAddress{.address = parsed("127.0.0.1:0"), .interface = "lo", .index = 1},
      LocalAddress{.address = parsed("10.0.0.1:0"), .interface = "eth0", .index = 2},
      LocalAddress{.address = parsed("[::1]:0"), .interface = "lo", .index = 1}};
  const auto interface_of = [&](const std::string& text) {
    const auto* local = find_local(locals, parsed(text));
    return local == nullptr ? std::string("none") : local->interface;
  };
  CHECK(interface_of("127.0.0.3:4913") == "lo");
  CHECK(interface_of("10.0.0.1:4913") == "eth0");
  CHECK(interface_of("10.0.0.2:4913") == "none");
  CHECK(interface_of("[::1]:4913") == "lo");
  CHECK(interface_of("[::2]:4913") == "none");
}

TEST_CASE("the payload follows the path and what UDP can carry", "[address]") {
  CHECK(payload_for_mtu(1500, false) == 1472);
  CHECK(payload_for_mtu(1500, true) == 1452);
  CHECK(payload_for_mtu(9000, false) == 8972);
  CHECK(payload_for_mtu(65536, false) == 65507);
  CHECK(payload_for_mtu(65536, true) == 65487);
  CHECK(payload_for_mtu(68, false) == 512);
}

}  // namespace ringcast
