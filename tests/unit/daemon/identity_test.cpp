// SPDX-License-Identifier: Apache-2.0
//
// Which daemon of the file a host is.
#include "daemon/identity.hpp"

#include <string>
#include <variant>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

DaemonConfig three_hosts(const std::string& net) {
  DaemonConfig config;
  for (unsigned i = 1; i <= 3; ++i) {
    ConfiguredDaemon daemon;
    daemon.name = "web" + std::to_string(i);
    daemon.address_text = net + std::to_string(i) + ":4913";
    daemon.address = SocketAddress::parse(daemon.address_text).value();
    daemon.address_at = FilePosition{.line = 4 * i, .column = 11};
    config.daemons.push_back(daemon);
  }
  return config;
}

HostFacts host(const std::string& name, const std::string& address) {
  HostFacts facts;
  facts.host_name = name;
  facts.addresses.push_back(LocalAddress{
      .address = SocketAddress::parse("127.0.0.1:0").value(), .interface = "lo", .index = 1});
  facts.addresses.push_back(LocalAddress{
      .address = SocketAddress::parse(address + ":0").value(), .interface = "eth0", .index = 2});
  return facts;
}

std::string outcome(const DaemonConfig& config, const HostFacts& facts) {
  const auto chosen = choose_daemon(config, facts);
  if (const auto* problem = std::get_if<ConfigProblem>(&chosen)) return describe("F", *problem);
  return config.daemons[std::get<std::size_t>(chosen)].name;
}

}  // namespace

TEST_CASE("the name asked for wins", "[identity]") {
  const auto config = three_hosts("10.0.0.");
  auto facts = host("web1", "10.0.0.1");
  facts.asked_for = "web3";
  CHECK(outcome(config, facts) == "web3");
  facts.asked_for = "web4";
  CHECK(
      outcome(config, facts) ==
      "F: no [[daemon]] is named \"web4\"; choose one of: web1, web2, web3");
}

TEST_CASE("then the host name, with or without its domain", "[identity]") {
  const auto config = three_hosts("10.0.0.");
  CHECK(outcome(config, host("web2", "10.0.0.1")) == "web2");
  CHECK(outcome(config, host("web2.example.org", "10.0.0.1")) == "web2");
  auto dotted = config;
  dotted.daemons[2].name = "web2.example.org";
  CHECK(outcome(dotted, host("web2.example.org", "10.0.0.1")) == "web2.example.org");
}

TEST_CASE("then the one whose address is local", "[identity]") {
  CHECK(outcome(three_hosts("10.0.0."), host("elsewhere", "10.0.0.3")) == "web3");
}

TEST_CASE("none or several: it says so", "[identity]") {
  CHECK(
      outcome(three_hosts("10.0.0."), host("elsewhere", "10.9.9.9")) ==
      "F: no [[daemon]] is named like this host (\"elsewhere\") and none has an address of it; "
      "say which one this is with --name or RINGCAST_NAME: web1, web2, web3");
  CHECK(
      outcome(three_hosts("127.0.0."), host("elsewhere", "10.9.9.9")) ==
      "F:8:11: several daemons have an address of this host: web1, web2, web3; say which one "
      "this is with --name or RINGCAST_NAME");
}

}  // namespace ringcast
