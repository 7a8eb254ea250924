// SPDX-License-Identifier: Apache-2.0
//
// Every kind of wrong configuration, with the place and the words the operator sees.
#include "daemon/config.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "configuration/document.hpp"
#include "daemon/options.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {
namespace {

const std::string one_daemon =
    "[[daemon]]\n"
    "name = \"web1\"\n"
    "address = \"127.0.0.1:4913\"\n";

std::vector<std::string> complaints(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& problem : read_config("F", text).problems) {
    lines.push_back(describe("F", problem));
  }
  return lines;
}

/// The one complaint about `text`, which comes after a valid daemon (lines 1 to 3).
std::string only_complaint(const std::string& text) {
  const auto lines = complaints(one_daemon + text);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream stream(path);
  REQUIRE(stream);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::filesystem::path conf_directory() {
  return std::filesystem::path(RINGCAST_SOURCE_DIR) / "conf";
}

}  // namespace

TEST_CASE("a small file is read", "[config]") {
  const auto read = read_config(
      "F",
      "[cluster]\n"
      "name = \"demo\"\n" +
          one_daemon +
          "[ring]\n"
          "token_loss = \"800ms\"\n"
          "consensus = \"1s\"\n"
          "window_bytes_max = \"32MiB\"\n"
          "[clients]\n"
          "socket = \"/run/%n.sock\"\n"
          "mode = \"0600\"\n"
          "tcp = \"0.0.0.0:4914\"\n"
          "[limits]\n"
          "message_bytes_max = 1000000\n");
  REQUIRE(read.problems.empty());
  const auto& config = read.config;
  CHECK(config.cluster == "demo");
  REQUIRE(config.daemons.size() == 1);
  CHECK(config.daemons[0].name == "web1");
  CHECK(to_string(config.daemons[0].address) == "127.0.0.1:4913");
  CHECK(config.ring.token_loss == std::chrono::milliseconds(800));
  CHECK(config.ring.window_bytes_max == (std::uint64_t{32} << 20U));
  CHECK(config.ring.message_bytes_max == 1'000'000);
  CHECK(config.socket == "/run/%n.sock");
  CHECK(config.socket_mode == 0600);
  REQUIRE(config.tcp);
  CHECK(to_string(*config.tcp) == "0.0.0.0:4914");
  CHECK(config.transport == RingTransport::automatic);
  CHECK_FALSE(config.uses_multicast());
}

TEST_CASE("a syntax error has its place", "[config]") {
  const auto lines = complaints("[cluster]\nname = \n");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].rfind("F:2:8: not valid TOML: ", 0) == 0);
  CHECK(complaints("[cluster]\nname = demo\n").front().rfind("F:2:8: ", 0) == 0);
  CHECK(complaints("[cluster\n").front().rfind("F:1:9: ", 0) == 0);
  CHECK(complaints("[cluster]\nname = \"a\"\nname = \"b\"\n").front().rfind("F:3:", 0) == 0);
}

TEST_CASE("a table header without a key has its place, whatever stands there", "[config]") {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string header : {"[", "[["}) {
      const auto text = "[cluster]\nname = \"c\"\n" + header + static_cast<char>(byte) + "=\n";
      const auto document = parse_document(text);
      INFO(byte);
      REQUIRE(document.problems.size() == 1);
      CHECK(document.problems[0].at.line >= 3);
    }
  }
}

TEST_CASE("letters outside ASCII stand in strings and comments only", "[config]") {
  const auto problems = [](const std::string& text) {
    return parse_document(text).problems.size();
  };
  CHECK(
      problems("\xC3\xA3"
               "B") == 1);
  CHECK(problems("a = 1 \xC3\xA3\n") == 1);
  CHECK(problems("0=5M\"\n1=5=\xCB\xB2=5\n") == 1);
  CHECK(problems("a = '''x'''\xC3\xA3\n") == 1);
  CHECK(problems("a = '\xC3\xA3' # \xC3\xA3\n") == 0);
  CHECK(problems("a = \"\"\"\n\xC3\xA3\"\"\xC3\xA3\"\"\"\"\n") == 0);
  CHECK(
      problems("\xEF\xBB\xBF"
               "a = 1\n") == 0);
  CHECK(problems("a = '\xC3'\n") == 1);  // half a letter
  const auto document = parse_document("a = '\xC3\xA3'\nb = '\xC3\xA3' \xC3\xA3\n");
  REQUIRE(document.problems.size() == 1);
  CHECK(document.problems[0].at.line == 2);
  CHECK(document.problems[0].at.column == 9);
}

TEST_CASE("a line without end is refused, not parsed", "[config]") {
  std::string key = "a";
  for (int i = 0; i < 300'000; ++i) {
    key += ".a";
  }
  const auto read = read_config("x.toml", "[cluster]\n" + key + " = 1\n");
  REQUIRE(read.problems.size() == 1);
  CHECK(read.problems[0].at.line == 2);
  CHECK(read.problems[0].problem.find("600005 bytes") != std::string::npos);
}

TEST_CASE("an unknown key is answered with the nearest known one", "[config]") {
  CHECK(
      only_complaint("[ring]\ntoken_los = \"1s\"\n") ==
      "F:5:1: unknown key \"token_los\" in [ring]; did you mean \"token_loss\"? remove or rename "
      "it");
  CHECK(
      only_complaint("[clients]\n  sokcet = \"/x\"\n") ==
      "F:5:3: unknown key \"sokcet\" in [clients]; did you mean \"socket\"? remove or rename it");
  CHECK(
      only_complaint("[ring]\nmessage_bytes_max = 5\n") ==
      "F:5:1: unknown key \"message_bytes_max\" in [ring]; did you mean \"message_bytes_max\" in "
      "[limits]? move it there");
  CHECK(
      only_complaint("[rings]\n") ==
      "F:4:1: unknown table [rings]; did you mean [ring]? remove or rename it");
  const auto lines = complaints("token_losss = \"1s\"\n" + one_daemon);
  REQUIRE(lines.size() == 1);
  CHECK(
      lines[0] ==
      "F:1:1: unknown key \"token_losss\" outside of any table; did you mean \"token_loss\" in "
      "[ring]? move, rename or remove it");
  CHECK(complaints(one_daemon + "port = 3\n").front().rfind("F:4:1: unknown key \"port\"", 0) == 0);
}

TEST_CASE("a wrong type says what is there and what should be", "[config]") {
  CHECK(
      only_complaint("[cluster]\nname = 7\n") ==
      "F:5:8: name is an integer and must be a string; put the value in quotes");
  CHECK(
      only_complaint("[ring]\ntoken_loss = 400\n") ==
      "F:5:14: token_loss is an integer and must be a duration; write a string with its unit, "
      "such as \"400ms\" or \"2s\"");
  CHECK(
      only_complaint("[ring]\ntoken_loss = \"400\"\n") ==
      "F:5:14: token_loss is \"400\" and must be a duration; write a string with its unit, "
      "such as \"400ms\" or \"2s\"");
  CHECK(
      only_complaint("[clients]\nsessions_max = true\n") ==
      "F:5:16: sessions_max is a boolean and must be an integer; write a whole number without "
      "quotes");
  CHECK(
      only_complaint("[limits]\nmessage_bytes_max = 1.5\n") ==
      "F:5:21: message_bytes_max is a number with a fraction and must be a size; write bytes, or "
      "a string such as \"8MiB\"");
  CHECK(complaints("daemon = \"web1\"\n").front().rfind("F:1:10: daemon is a string", 0) == 0);
  CHECK(
      complaints("[daemon]\nname = \"a\"\naddress = \"10.0.0.1:1\"\n").front() ==
      "F:1:1: [daemon] is a single table; write [[daemon]] once per daemon");
  CHECK(only_complaint("[[ring]]\n") == "F:4:1: [[ring]] is a list of tables; write [ring] once");
}

TEST_CASE("a value out of range says which values are", "[config]") {
  CHECK(
      only_complaint("[ring]\naccelerated_percent = 101\n") ==
      "F:5:23: accelerated_percent is out of range; choose a value from 0 to 100");
  CHECK(
      only_complaint("[ring]\ntoken_loss = \"1ms\"\n") ==
      "F:5:14: token_loss is out of range; choose a value from 10ms to 10m");
  CHECK(
      only_complaint("[clients]\nsessions_max = -1\n") ==
      "F:5:16: sessions_max is out of range; choose a value from 1 to 1000000");
  CHECK(
      only_complaint("[limits]\nmessage_bytes_max = \"1GiB\"\n") ==
      "F:5:21: message_bytes_max is out of range; choose a value from 1KiB to 64MiB");
}

TEST_CASE("daemons are told apart", "[config]") {
  CHECK(
      only_complaint("[[daemon]]\nname = \"web1\"\naddress = \"127.0.0.2:4913\"\n") ==
      "F:5:8: daemon name \"web1\" is used already, by the [[daemon]] in line 1; give every "
      "daemon a name of its own");
  CHECK(
      only_complaint("[[daemon]]\nname = \"web2\"\naddress = \"127.0.0.1:4913\"\n") ==
      "F:6:11: address \"127.0.0.1:4913\" is used already, by daemon \"web1\" in line 1; give "
      "every daemon an address or port of its own");
  CHECK(
      complaints("[[daemon]]\nname = \"web2\"\n").front() ==
      "F:1:1: this [[daemon]] has no address; add address = \"IP:PORT\"");
  CHECK(
      complaints("\n [[daemon]]\naddress = \"10.0.0.1:1\"\n")
          .front()
          .rfind("F:2:2: this [[daemon]] has no name", 0) == 0);
  CHECK(
      complaints("").front() ==
      "F:1:1: no daemon is configured; add a [[daemon]] table with name and address for every "
      "host");
  CHECK(
      only_complaint("[[daemon]]\nname = \"web2\"\naddress = \"[::1]:4913\"\n")
          .rfind("F:6:11: ", 0) == 0);
}

TEST_CASE("more daemons than a ring holds are refused at the first that is too many", "[config]") {
  std::string text;
  for (unsigned i = 1; i <= 128; ++i) {
    text += "[[daemon]]\nname = \"n" + std::to_string(i) + "\"\naddress = \"10.0.0." +
            std::to_string(i) + ":4913\"\n";
  }
  CHECK(complaints(text).empty());
  const auto lines = complaints(text + one_daemon);
  REQUIRE(lines.size() == 1);
  CHECK(
      lines[0] ==
      "F:385:1: 129 daemons are configured and a ring has at most 128; remove this one and those "
      "after it; their programs can be TCP clients of others");
}

TEST_CASE("two names with one id are refused", "[config]") {
  // Found by search: the low 32 bits of their hashes are equal.
  const std::string first = "node42194";
  const std::string second = "node69312";
  REQUIRE(node_id(first) == node_id(second));
  const auto lines = complaints(
      "[[daemon]]\nname = \"" + first + "\"\naddress = \"10.0.0.1:1\"\n[[daemon]]\nname = \"" +
      second + "\"\naddress = \"10.0.0.2:1\"\n");
  REQUIRE(lines.size() == 1);
  CHECK(
      lines[0] == "F:5:8: daemon names \"" + second + "\" and \"" + first +
                      "\" have the same 32-bit id " + to_string(node_id(first)) +
                      "; rename one of them");
}

TEST_CASE("names and addresses follow their grammar", "[config]") {
  CHECK(
      complaints("[[daemon]]\nname = \"web 1\"\naddress = \"10.0.0.1:1\"\n").front() ==
      "F:2:8: daemon name \"web 1\" is not a valid name; use 1 to 64 letters, digits, '_', '.', "
      "':' or '-'");
  CHECK(only_complaint("[cluster]\nname = \"\"\n").rfind("F:5:8: cluster name \"\"", 0) == 0);
  const auto bad = [](const std::string& address) {
    const auto lines = complaints("[[daemon]]\nname = \"a\"\naddress = \"" + address + "\"\n");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].rfind("F:3:11: ", 0) == 0);
    return lines[0];
  };
  CHECK(
      bad("web1:4913") ==
      "F:3:11: \"web1:4913\" is not an address: the host is not a numeric IPv4 address; write it "
      "as \"192.0.2.1:4913\" or \"[2001:db8::1]:4913\"");
  (void)bad("10.0.0.1");
  (void)bad("10.0.0.1:99999");
  (void)bad("10.0.0.1:0");
  (void)bad("::1:4913");
  (void)bad("[::1]");
  (void)bad("0.0.0.0:4913");
  (void)bad("239.1.1.1:4913");
}

TEST_CASE("multicast needs an address that is one", "[config]") {
  CHECK(
      only_complaint("[ring]\ntransport = \"multicast\"\n") ==
      "F:5:1: transport is multicast and no multicast address is given; add multicast = "
      "\"239.192.73.1:4913\" to [ring], or use unicast");
  CHECK(only_complaint("[ring]\nmulticast = \"10.0.0.1:4913\"\n").rfind("F:5:13: ", 0) == 0);
  CHECK(only_complaint("[ring]\nmulticast = \"[ff15::1]:4913\"\n").rfind("F:5:1: ", 0) == 0);
  CHECK(
      only_complaint("[ring]\ntransport = \"broadcast\"\n") ==
      "F:5:13: transport \"broadcast\" is unknown; choose \"unicast\", \"multicast\" or \"auto\"");
  const auto read = read_config("F", one_daemon + "[ring]\nmulticast = \"239.192.73.1:4913\"\n");
  REQUIRE(read.problems.empty());
  CHECK(read.config.uses_multicast());
}

TEST_CASE("the socket path fits for every daemon", "[config]") {
  const std::string directory = "/run/" + std::string(60, 'd');
  const std::string name(40, 'n');
  const auto lines = complaints(
      one_daemon + "[[daemon]]\nname = \"" + name +
      "\"\naddress = \"127.0.0.2:4913\"\n[clients]\nsocket = \"" + directory + "/%n.sock\"\n");
  REQUIRE(lines.size() == 1);
  CHECK(
      lines[0] == "F:8:1: the socket path of daemon \"" + name +
                      "\" has 111 bytes and may have 107; choose a shorter socket path");
  CHECK(only_complaint("[clients]\nsocket = \"run/x\"\n").rfind("F:5:1: ", 0) == 0);
  CHECK(only_complaint("[clients]\nsocket = \"\"\n").rfind("F:5:10: socket is empty", 0) == 0);
  CHECK(only_complaint("[clients]\nmode = \"666\"\ntcp = \"x\"\n").rfind("F:6:7: ", 0) == 0);
  CHECK(only_complaint("[clients]\nmode = \"0888\"\n").rfind("F:5:8: mode", 0) == 0);
  CHECK(only_complaint("[log]\nlevel = \"loud\"\n").rfind("F:5:9: log level", 0) == 0);
}

TEST_CASE("broken relations point at the option that was set", "[config]") {
  CHECK(
      only_complaint("[ring]\ntoken_hold = \"200ms\"\n") ==
      "F:5:1: token_hold (200ms) is not less than half of token_loss (400ms); an idle ring would "
      "lose its token: lower token_hold or raise token_loss");
  CHECK(
      only_complaint("[ring]\ntoken_loss = \"500ms\"\n") ==
      "F:5:1: consensus (480ms) is less than 1.1 times token_loss (500ms); daemons notice a lost "
      "token at different times: raise consensus or lower token_loss");
  CHECK(
      only_complaint("[ring]\njoin_interval = \"121ms\"\n").rfind("F:5:1: join_interval", 0) == 0);
  CHECK(
      only_complaint("[ring]\ntoken_retransmit_max = \"101ms\"\n")
          .rfind("F:5:1: token_retransmit_max (101ms) is more than a quarter", 0) == 0);
  CHECK(
      only_complaint("[ring]\ndatagram_bytes_max = 1000\n").rfind("F:5:1: datagram_bytes_min", 0) ==
      0);
  CHECK(
      only_complaint("[ring]\nwindow_bytes_max = \"15MiB\"\n")
          .rfind("F:5:1: window_bytes_max", 0) == 0);
  CHECK(only_complaint("[clients]\nbacklog_bytes_max = \"15MiB\"\n").rfind("F:5:1: ", 0) == 0);
}

TEST_CASE("every problem is reported, in file order", "[config]") {
  const auto lines = complaints(
      "[cluster]\n"
      "nam = \"x\"\n"
      "[[daemon]]\n"
      "name = \"a b\"\n"
      "address = \"nowhere\"\n"
      "[ring]\n"
      "token_loss = 5\n"
      "transport = \"multicast\"\n"
      "[foo]\n");
  REQUIRE(lines.size() == 6);
  CHECK(lines[0].rfind("F:2:1: ", 0) == 0);
  CHECK(lines[1].rfind("F:4:8: ", 0) == 0);
  CHECK(lines[2].rfind("F:5:11: ", 0) == 0);
  CHECK(lines[3].rfind("F:7:14: ", 0) == 0);
  CHECK(lines[4].rfind("F:8:1: ", 0) == 0);
  CHECK(lines[5].rfind("F:9:1: ", 0) == 0);
}

TEST_CASE("the files in conf/ are valid", "[config]") {
  for (const auto* name : {"ringcast.toml", "three-nodes.toml", "fast-failover.toml"}) {
    CAPTURE(name);
    const auto read = read_config(name, read_whole(conf_directory() / name));
    for (const auto& problem : read.problems) {
      FAIL_CHECK(describe(name, problem));
    }
  }
}

TEST_CASE("the smallest ring runs for every user", "[config]") {
  const auto read = read_config("F", read_whole(conf_directory() / "three-nodes.toml"));
  REQUIRE(read.problems.empty());
  const auto directory = std::filesystem::path(read.config.socket).parent_path();
  const auto all_may_write = std::filesystem::perms::others_write;
  CHECK((std::filesystem::status(directory).permissions() & all_may_write) == all_may_write);
}

TEST_CASE(
    "conf/ringcast.toml shows every option in its section, and its true default", "[config]") {
  // With the comment signs of its options removed it must still be valid, and mean the same.
  std::istringstream lines(read_whole(conf_directory() / "ringcast.toml"));
  std::string uncommented;
  std::string section;
  std::vector<std::string> shown;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("[", 0) == 0) {
      section =
          line.substr(line.find_first_not_of('['), line.find(']') - line.find_first_not_of('['));
    }
    const auto equals = line.find(" = ");
    const auto begin = line.rfind("# ", 0) == 0 ? std::size_t{2} : std::size_t{0};
    if (equals != std::string::npos) {
      const auto key = line.substr(begin, equals - begin);
      if (find_option(section, key) != nullptr) {
        shown.push_back(section + "." + key);
        line.erase(0, begin);
      }
    }
    uncommented += line + "\n";
  }
  for (const auto& key : known_keys()) {
    CAPTURE(key);
    CHECK(std::count(shown.begin(), shown.end(), key) == 1);
  }
  const auto read = read_config("ringcast.toml", uncommented);
  for (const auto& problem : read.problems) {
    FAIL_CHECK(describe("ringcast.toml", problem));
  }
  const RingConfig ring;
  const SessionConfig session;
  CHECK(read.config.ring.token_loss == ring.token_loss);
  CHECK(read.config.ring.token_retransmit_max == ring.token_retransmit_max);
  CHECK(read.config.ring.token_retransmit_min == ring.token_retransmit_min);
  CHECK(read.config.ring.token_hold == ring.token_hold);
  CHECK(read.config.ring.token_rest_after == ring.token_rest_after);
  CHECK(read.config.ring.join_interval == ring.join_interval);
  CHECK(read.config.ring.consensus == ring.consensus);
  CHECK(read.config.ring.probe_interval == ring.probe_interval);
  CHECK(read.config.ring.backoff_max == ring.backoff_max);
  CHECK(read.config.ring.fail_to_receive == ring.fail_to_receive);
  CHECK(read.config.ring.datagram_bytes_min == ring.datagram_bytes_min);
  CHECK(read.config.ring.datagram_bytes_max == ring.datagram_bytes_max);
  CHECK(read.config.ring.window_packets_max == ring.window_packets_max);
  CHECK(read.config.ring.window_bytes_max == ring.window_bytes_max);
  CHECK(read.config.ring.message_bytes_max == ring.message_bytes_max);
  CHECK(read.config.ring.send_queue_bytes_max == ring.send_queue_bytes_max);
  CHECK(read.config.ring.accelerated_percent == ring.accelerated_percent);
  CHECK(read.config.session.backlog_bytes_max == session.backlog_bytes_max);
  CHECK(read.config.session.credit_bytes == session.credit_bytes);
  CHECK(read.config.session.sessions_max == session.sessions_max);
  CHECK(read.config.session.groups_per_session_max == session.groups_per_session_max);
  CHECK(read.config.session.handshake == session.handshake);
  const DaemonConfig defaults;
  CHECK(read.config.cluster == defaults.cluster);
  CHECK(read.config.socket_mode == defaults.socket_mode);
  CHECK(read.config.multicast_ttl == defaults.multicast_ttl);
  CHECK(read.config.socket_buffer_bytes == defaults.socket_buffer_bytes);
}

TEST_CASE("durations and sizes have units", "[config]") {
  CHECK(parse_duration("400ms") == 400'000'000);
  CHECK(parse_duration("2 s") == 2'000'000'000);
  CHECK(parse_duration("1m") == 60'000'000'000);
  CHECK(parse_duration("3h") == 10'800'000'000'000);
  CHECK(parse_duration("2d") == 172'800'000'000'000);
  CHECK_FALSE(parse_duration("400"));
  CHECK_FALSE(parse_duration("ms"));
  CHECK_FALSE(parse_duration("-4ms"));
  CHECK_FALSE(parse_duration("99999999999999999999s"));
  CHECK_FALSE(parse_duration("9999999999999m"));
  CHECK(parse_bytes("64MiB") == (std::uint64_t{64} << 20U));
  CHECK(parse_bytes("17B") == 17);
  CHECK(parse_bytes("2TiB") == (std::uint64_t{2} << 40U));
  CHECK_FALSE(parse_bytes("64MB"));
  CHECK(show_value(OptionKind::bytes, std::uint64_t{3} << 30U) == "3GiB");
  CHECK(show_value(OptionKind::duration, 1'500'000) == "1500us");
}

TEST_CASE("%n stands for the daemon's name", "[config]") {
  CHECK(expand_name("/run/%n/%n.sock", "a") == "/run/a/a.sock");
  CHECK(expand_name("/run/x%", "a") == "/run/x%");
}

}  // namespace ringcast
