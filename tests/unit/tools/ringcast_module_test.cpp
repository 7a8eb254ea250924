// SPDX-License-Identifier: Apache-2.0
//
// What the Apache module decides without Apache: groups of virtual hosts, directives, the
// publisher's command line; and the packets it sends.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "tools/mod_log_ringcast/settings.hpp"
#include "tools/mod_log_ringcast/vhost_group.hpp"
#include "tools/ringlog/group_packet.hpp"
#include "tools/ringlog/options.hpp"

using namespace ringcast::ringlog;

TEST_CASE("a virtual host's group is a valid one whatever the name", "[ringlog]") {
  CHECK(vhost_group("www.Example.COM") == "vhost.www.example.com");
  CHECK(vhost_group("www.example.com:8080") == "vhost.www.example.com");
  CHECK(vhost_group("www.example.com..") == "vhost.www.example.com");
  CHECK(vhost_group("../../etc/passwd") == "vhost..._.._etc_passwd");
  CHECK(vhost_group("").substr(0, 7) == "vhost._");
  CHECK(vhost_group("...") == "vhost._");
  CHECK(vhost_group("[::1]") == "vhost._");
  CHECK(vhost_group("shop.writers") == "vhost.shop.writer_");
  CHECK(vhost_group("writers") == "vhost.writer_");
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t length : {1U, 49U, 50U, 51U, 300U}) {
      const auto group = vhost_group(std::string(length, static_cast<char>(byte)));
      CHECK(log_group(group).empty());
      CHECK(group.find('/') == std::string::npos);
    }
  }
  CHECK(log_group(std::string(vhost_overflow_group)).empty());
  CHECK(vhost_group(std::string(42, 'a') + ".writers").back() == '_');
}

TEST_CASE("a target is a group, all virtual hosts, or none of ours", "[ringlog]") {
  CHECK(check_target("logs/access.log").empty());
  CHECK(check_target("|/bin/cat").empty());
  CHECK(check_target("$weblogs").empty());
  CHECK(check_target("$#vhost").empty());
  CHECK(is_group_target("$weblogs"));
  CHECK_FALSE(is_group_target("weblogs"));
  for (const std::string wrong : {"$", "$a b", "$a/b", "$#other", "$web.writers", "$.writers"}) {
    CHECK_FALSE(check_target(wrong).empty());
  }
  CHECK(check_target("$" + std::string(56, 'g')).empty());
  CHECK_FALSE(check_target("$" + std::string(57, 'g')).empty());
}

TEST_CASE("directives become the publisher's command line", "[ringlog]") {
  Settings settings;
  settings.publisher = "/bin/ringlog-publish";
  CHECK(add_daemons(settings, "/run/a.sock,host:4914").empty());
  CHECK(add_daemons(settings, "[::1]:4914").empty());
  for (const std::string wrong : {"a.sock", "host:", ":1", "host:65536", "host:1x", "/a,,/b"}) {
    Settings other;
    CHECK_FALSE(add_daemons(other, wrong).empty());
  }
  CHECK(set_groups_max(settings, "8").empty());
  CHECK_FALSE(set_groups_max(settings, "0").empty());
  CHECK_FALSE(set_groups_max(settings, "4097").empty());
  settings.spool = "/var/spool/x";
  settings.publisher_options = {"--max-line=1M"};
  const std::vector<std::string> wanted = {
      "/bin/ringlog-publish",
      "fan-out",
      "--groups-max",
      "8",
      "--overflow-group",
      "vhost._other",
      "--spool",
      "/var/spool/x",
      "--socket",
      "/run/a.sock",
      "--server",
      "host:4914",
      "--server",
      "[::1]:4914",
      "--timeout",
      "5s",
      "--max-line=1M"};
  CHECK(publisher_command(settings) == wanted);
}

TEST_CASE("a buffer has a size within limits", "[ringlog]") {
  Settings settings;
  CHECK(set_buffer(settings, "64k").empty());
  CHECK(settings.buffer_bytes == 65536);
  CHECK(set_buffer(settings, "1024M").empty());
  CHECK(settings.buffer_bytes == std::size_t{1} << 30U);
  CHECK(set_buffer(settings, "100000").empty());
  CHECK(settings.buffer_bytes == 100000);
  for (const std::string wrong : {"", "k", "63k", "1025M", "1G", "-1M", "18446744073709551615k"}) {
    CHECK_FALSE(set_buffer(settings, wrong).empty());
  }
  CHECK(settings.buffer_bytes == 100000);
}

TEST_CASE("a packet has a group and lines, or a note of dropped ones", "[ringlog]") {
  const auto text = packet_head("web", false) + "one\ntwo\n";
  const auto packet = parse_packet(text);
  REQUIRE(packet);
  CHECK(packet->group == "web");
  CHECK_FALSE(packet->is_from_network);
  CHECK(packet->body == "one\ntwo\n");
  CHECK_FALSE(parse_note(packet->body));
  const auto from_network = packet_head("vhost.a", true) + encode_note({3, 99});
  const auto note = parse_packet(from_network);
  REQUIRE(note);
  CHECK(note->is_from_network);
  CHECK(note->group == "vhost.a");
  const auto dropped = parse_note(note->body);
  REQUIRE(dropped);
  CHECK(dropped->lines == 3);
  CHECK(dropped->bytes == 99);
  for (const std::string wrong : {"", "*", "web", "web\n", "\nline\n", "*\nline\n"}) {
    CHECK_FALSE(parse_packet(wrong));
  }
  const auto whole = encode_note({3, 99});
  for (std::size_t cut = 0; cut + 2 < whole.size(); ++cut) {
    CHECK_FALSE(parse_note(whole.substr(0, cut)));
  }
  CHECK_FALSE(parse_note(whole + "x"));
}
