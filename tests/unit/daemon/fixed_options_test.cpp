// SPDX-License-Identifier: Apache-2.0
#include "daemon/fixed_options.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

DaemonConfig configured(const std::string& address, const std::string& more = {}) {
  auto read = read_config(
      "F",
      "[[daemon]]\nname = \"a\"\naddress = \"" + address +
          "\"\n[[daemon]]\nname = \"b\"\naddress = \"10.0.0.2:1\"\n" + more);
  REQUIRE(read.problems.empty());
  return std::move(read.config);
}

}  // namespace

TEST_CASE("a reload of the same file changes nothing that is fixed", "[fixed_options]") {
  auto fresh = configured("10.0.0.1:1");
  CHECK(keep_fixed(fresh, configured("10.0.0.1:1"), "a").empty());
}

TEST_CASE("what cannot change is named and stays, the rest is new", "[fixed_options]") {
  const auto running = configured("10.0.0.1:1");
  auto fresh = configured(
      "10.0.0.9:1",
      "[cluster]\nname = \"other\"\n"
      "[ring]\nmulticast = \"239.192.73.1:4913\"\nmulticast_ttl = 2\n"
      "socket_buffer_bytes = \"1MiB\"\ntoken_hold = \"50ms\"\n"
      "[clients]\nsocket = \"/run/x.sock\"\nmode = \"0600\"\ntcp = \"0.0.0.0:4914\"\n"
      "[state]\ndirectory = \"/elsewhere\"\n"
      "[log]\nlevel = \"debug\"\n");
  CHECK(
      keep_fixed(fresh, running, "a") == std::vector<std::string>{
                                             "our own address",
                                             "[cluster] name",
                                             "the transport of [ring]",
                                             "[ring] socket_buffer_bytes",
                                             "where [clients] connect",
                                             "[state] directory"});
  CHECK(fresh.daemons[0].address == running.daemons[0].address);
  CHECK(fresh.daemons[0].address_text == "10.0.0.1:1");
  CHECK(fresh.cluster == running.cluster);
  CHECK_FALSE(fresh.uses_multicast());
  CHECK(fresh.multicast_ttl == 1);
  CHECK(fresh.socket_buffer_bytes == running.socket_buffer_bytes);
  CHECK(fresh.socket.empty());
  CHECK(fresh.socket_mode == 0660);
  CHECK_FALSE(fresh.tcp);
  CHECK(fresh.state_directory.empty());
  CHECK(fresh.ring.token_hold == std::chrono::milliseconds(50));
  CHECK(fresh.log_level == TraceLevel::debug);
}

TEST_CASE("another daemon's address may change", "[fixed_options]") {
  auto fresh = configured("10.0.0.9:1");
  CHECK(keep_fixed(fresh, configured("10.0.0.1:1"), "b").empty());
  CHECK(fresh.daemons[0].address_text == "10.0.0.9:1");
}

}  // namespace ringcast
