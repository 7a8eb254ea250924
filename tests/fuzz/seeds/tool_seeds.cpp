// SPDX-License-Identifier: Apache-2.0
//
// configuration, ringlog, monitor, monitor_web: what people, the log tools and web servers write.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "fuzz/seeds/seeds.hpp"
#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/lines_encoder.hpp"
#include "tools/ringlog/packet_frames.hpp"
#include "tools/ringlog/progress.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;
using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(std::string(RINGCAST_SOURCE_DIR) + "/conf/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_file(std::vector<Seed>& seeds, const char* name, const std::string& path) {
  seeds.push_back({"configuration", name, bytes_of(text_of_file(path))});
}

void add_writer_configurations(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, std::string_view text) {
    seeds.push_back({"writer_configuration", name, bytes_of(text)});
  };
  add("reference", text_of_file("ringlog-write.toml"));
  add("sinks",
      "[[group]]\nname='a'\n[[sink]]\ntype='file'\npath='/%Y/"
      "{vhost}'\nsplit_vhost=true\nmatch=['x']\n"
      "[[sink]]\ntype='exec'\ncommand=['x']\n[[sink]]\ntype='sqlite'\ndatabase='/d'\nformat='%h "
      "%r'\n");
  add("mistakes",
      "[group]\n[[sink]]\ntype='fiel'\ngroup=3\n[[sink]]\nmatch=['(']\npath='x'\n[wirter]\n");
  add("spreadlogd",
      "sBufferSize = 9 # note\nLoadModule online '*:1'\nPerlUse A::B\nSpread { Port = 4913@h Log { "
      "Group = a\n"
      "File = \"/f\" Match = ^x VhostDir = /v RewriteTimestamp = CommonLogFormat PerlLog a::b "
      "PythonLog c.d } }\n"
      "Spread { Log { Group = b File = '|cat' } }\n");
  add("spreadlogd-mistakes", "sSpread { Log { Grup a } Log { File = } \"x");
}

void add_configurations(std::vector<Seed>& seeds) {
  add_file(seeds, "reference", "ringcast.toml");
  add_file(seeds, "three-nodes", "three-nodes.toml");
  const auto add = [&](const char* name, std::string_view text) {
    seeds.push_back({"configuration", name, bytes_of(text)});
  };
  add("size", "64MiB");
  add("duration", "1500ms");
  add("mistakes",
      "loose = 1\n[ring]\ntoken_los = \"1s\"\ntoken_loss = 5\nwindow_packets_max = -3\n"
      "[daemon]\nname = \"a\"\n[[clients]]\n[unknown]\n[[daemon]]\naddress = \"host:1\"\n");
  add("daemons",
      "[cluster]\nname = \"c\"\n[[daemon]]\nname = \"a\"\naddress = \"[fe80::1%eth0]:4913\"\n"
      "[[daemon]]\nname = \"b\"\naddress = \"192.0.2.1:4913\"\n[network]\ntransport = "
      "\"multicast\"\n"
      "multicast = \"239.1.2.3:4913\"\n[clients]\nsocket = \"/run/%n.sock\"\nmode = \"0660\"\n");
  add("syntax", "[ring\ntoken_loss = \"unfinished");
}

Producer producer(std::uint8_t byte, std::string name) {
  Producer result;
  result.id.bytes.fill(byte);
  result.name = std::move(name);
  return result;
}

void add_ringlog(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, int kind, const Bytes& payload) {
    Bytes bytes{static_cast<std::byte>(kind)};
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    seeds.push_back({"ringlog", name, std::move(bytes)});
  };
  Record record;
  record.producer = producer(0xab, "web1:access.log");
  record.first_seq = 17;
  record.body = Lines{{"GET / 200", "", "GET /x 404"}};
  add("record-lines", 0, encode(record));
  LinesEncoder encoder(record.producer, {.packing_level = 3, .wants_receipt = true});
  for (int i = 0; i < 20; ++i) {
    encoder.add("GET /index.html 200");
  }
  add("record-packed", 0, encoder.take(record.first_seq));
  record.body = Dropped{.lines = 5, .bytes = 500, .numbers = 1};
  add("record-dropped", 0, encode(record));
  record.body = TooLong{.bytes = 1U << 24U};
  add("record-too-long", 0, encode(record));
  record.first_seq = 0;
  record.body = Settle{};
  add("record-settle", 0, encode(record));

  TableMessage message;
  message.sync = "17.web1.5f0c9a31/3";
  message.end = {.length = 1000, .lines = 20, .chain = 0x1234567890abcdef};
  message.position = Position{.configuration = {17, "web1", 0x5f0c9a31}, .seq = 4, .index = 0};
  (void)message.gaps.add(producer(3, "three"), Range{1, 2});
  (void)message.table.add(producer(1, "one"), Range{1, 20});
  (void)message.table.add(producer(1, "one"), Range{30, 40});
  (void)message.table.add(producer(2, "two"), Range{5, 5});
  add("table", 1 + 4 * 8, encode(message));
  message.is_news = true;
  message.sync.clear();
  add("table-news", 1, encode(message));

  Progress progress;
  progress.first = Position{.configuration = {17, "web1", 0x5f0c9a31}, .seq = 4, .index = 0};
  progress.last = progress.first;
  progress.last.seq = 9;
  add("progress", 2, encode(progress));
  add("lines", 3 + 4 * 6, bytes_of("one\ntwo\n\na line that is far too long for its limit\nend"));
  std::string frames = encode_frames("web\nGET / 200\n", {}).front();
  for (const auto& part :
       encode_frames("web\n" + std::string(whole_packet_bytes_max, 'x'), {7, 1})) {
    frames += part;
  }
  add("frames", 3 + 4 * 60, bytes_of("torn" + frames));
}

void add_syslog(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, const std::string& text) {
    Bytes bytes{static_cast<std::byte>(6)};
    const auto more = bytes_of(text);
    bytes.insert(bytes.end(), more.begin(), more.end());
    seeds.push_back({"syslog", name, std::move(bytes)});
  };
  add("old",
      "<190>Oct 11 22:14:15 web1 nginx: GET /\n<13>2023-08-24T05:14:15Z haproxy[1]: x\nplain\n");
  add("new", "34 <165>1 - h a - - [x y=\"\\]\"] text\n18 <1>1 - - - - - -\n7 <2>two\n");
  add("torn", "999 <1>more than there is\n12345678901 <1>\n0 x\n<1>" + std::string(100, 'x'));
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> digits{};
  (void)std::snprintf(
      digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(value));
  return digits.data();
}

void add_files(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, int kind, const std::string& rest) {
    Bytes bytes{static_cast<std::byte>(kind)};
    const auto more = bytes_of(rest);
    bytes.insert(bytes.end(), more.begin(), more.end());
    seeds.push_back({"ringlog_files", name, std::move(bytes)});
  };
  // A snapshot behind the first line of the file and an entry behind the second.
  const std::string first = "one\n";
  const std::string both = first + "two\n";
  const std::string producer_json = R"({"producer":"00112233445566778899aabbccddeeff","name":"p",)";
  const std::string snapshot =
      R"({"ringlog_position":1,"group":"g","length":4,"lines":1,"chain":")" +
      hex(chain_text(0, first)) +
      R"(","configuration":"17.web1.5f0c9a31","seq":4,"index":0,"markers":[[0,2]],"table":[)" +
      producer_json + R"("ranges":[[1,5]]}]})";
  const std::string entry = R"({"length":8,"lines":2,"chain":")" + hex(chain_text(0, both)) +
                            R"(","added":[)" + producer_json + R"("ranges":[[6,6]]}]})";
  const auto with_file = [](const std::string& content, const std::string& lines) {
    return std::string(1, static_cast<char>(content.size())) + content + lines;
  };
  add("sidecar", 0, with_file(both, snapshot + "\n" + entry + "\n"));
  const auto with_front = snapshot.substr(0, snapshot.size() - 1) +
                          R"(,"front":{"length":2,"lines":0,"chain":"01","table":[)" +
                          producer_json + R"("ranges":[[1,2]]}]}})";
  add("sidecar-front", 0, with_file(both, with_front + "\n" + entry + "\n"));
  add("sidecar-cut", 0, with_file(both, snapshot + "\n" + entry.substr(0, 20)));
  add("sidecar-torn", 0, with_file("one\ntw", snapshot + "\n" + entry + "\n"));
  add("checkpoint",
      1,
      R"({"ringlog_checkpoint":1,"files":[{"path":"/var/log/a","device":1,"inode":2,)"
      R"("fingerprint_bytes":3,"fingerprint":4,"producer":"00112233445566778899aabbccddeeff",)"
      R"("name":"a","offset":5,"seq":6,"absent_since":7}]})");
  // How much is cut off, then a byte that says what is broken, a length and a record each.
  add("spool", 2, std::string("\0\xff\x03one\xff\x03two\xff\x05three", 17));
  add("spool-torn", 2, std::string("\x02\xff\x03one\xff\x03two", 11));
  add("spool-damaged", 2, std::string("\0\xff\x03one\x09\x03two\xff\x05three", 17));
}

void add_monitor(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, char kind, std::string_view text) {
    seeds.push_back({"monitor", name, bytes_of(kind + std::string(text))});
  };
  constexpr std::string_view combined =
      "192.0.2.7 - - [10/Oct/2020:13:55:36 -0700] \"GET /a?b HTTP/1.1\" 200 2326 "
      "\"http://example.org/\" \"Agent/1.0 (x)\"\n";
  const std::string haproxy =
      "192.0.2.7:56000 [10/Oct/2020:13:55:36.123] front back/web1 10/0/30/69/109 200 2750 - - "
      "---- 1/1/1/1/0 0/0 \"GET /a HTTP/1.1\"\n";
  const std::string json =
      R"({"remote_addr":"192.0.2.7","time_iso8601":"2020-10-10T13:55:36+02:00","status":404,)"
      R"("request":"GET /a HTTP/1.1","body_bytes_sent":12,"request_time":0.25})"
      "\n";
  add("combined", '\0', std::string(combined) + std::string(combined) + "no request\n");
  add("mixed", '\x83', haproxy + json + std::string(combined));
  add("apache",
      '\x01',
      "%v %h %l %u %t \"%r\" %>s %b %D\nhost 192.0.2.7 - - "
      "[10/Oct/2020:13:55:36 -0700] \"GET / HTTP/1.0\" 500 - 1234\n");
  add("nginx",
      '\x02',
      "$remote_addr [$time_local] \"$request\" $status $request_time\n192.0.2.7 "
      "[10/Oct/2020:13:55:36 +0000] \"GET / HTTP/1.0\" 200 0.003\n");
}

void add_monitor_web(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, std::string_view text) {
    seeds.push_back({"monitor_web", name, bytes_of(std::string(text))});
  };
  constexpr std::string_view line =
      R"({"remote_addr":"192.0.2.7","uri":"/a","status":404,"bytes":12,"duration_ms":5})"
      "\n";
  add("tables",
      std::string(line) + std::string(line) +
          "/table?name=pages&field=requests&text=>1&sort=share&order=asc&limit=5\n"
          "/table?name=online&group=web\n/table?name=codes&text=40\n/table?name=servers\n");
  add("figures",
      std::string(line) +
          "odd\n/groups\n/figures?top=3\n/history?range=all\n/history\n/events?group=web\n"
          "/tail?field=status&text=404&after=0&limit=2\n/clicks?id=00\n/odd\n");
  add("access", "@localhost:80\tBearer a-token\tringlog-80=0123; other=1\n@[::1]\tbearer\t;=;\n");
}

}  // namespace

void add_tool_seeds(std::vector<Seed>& seeds) {
  add_configurations(seeds);
  add_writer_configurations(seeds);
  add_ringlog(seeds);
  add_syslog(seeds);
  add_monitor(seeds);
  add_monitor_web(seeds);
  add_files(seeds);
}

std::vector<Seed> all_seeds() {
  std::vector<Seed> seeds;
  add_protocol_seeds(seeds);
  add_client_seeds(seeds);
  add_tool_seeds(seeds);
  add_writer_seeds(seeds);
  add_node_seeds(seeds);
  return seeds;
}

}  // namespace ringcast::fuzz
