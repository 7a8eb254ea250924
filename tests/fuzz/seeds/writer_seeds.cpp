// SPDX-License-Identifier: Apache-2.0
//
// writers: what writers tell one another, and the files they leave for their next start.
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/seeds/seeds.hpp"
#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog-write/history_message.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog-write/writer_message.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;
using Bytes = std::vector<std::byte>;

constexpr std::size_t checksum_bytes = 17;
const ConfigurationId configuration{17, "web1", 0x5f0c9a31};

Producer producer() {
  Producer made;
  made.id.bytes.fill(0xab);
  made.name = "web1";
  return made;
}

// One gap marker, two lines and the marker of a loss.
std::pair<FileEntry, std::string> sample_entry() {
  Table missing;
  (void)missing.add(producer(), Range{1, 2});
  const auto gap = gap_marker(missing) + "\n";
  const auto loss = loss_marker(Record{producer(), 5, TooLong{99}}) + "\n";
  std::pair<FileEntry, std::string> made;
  auto& [entry, data] = made;
  data = gap + "three\nfour\n" + loss;
  entry.markers = {{0, 2}, {data.size() - loss.size(), 1}};
  entry.additions = {
      {producer(), {1, 2}, AddedAs::gap, ""},
      {producer(), {3, 4}, AddedAs::line, "d1"},
      {producer(), {5, 5}, AddedAs::loss, "d1"}};
  entry.after = FilePoint{data.size(), 2, chain_text(0, data)};
  entry.position = Position{configuration, 4, 0};
  entry.time_ms = 1;
  return made;
}

}  // namespace

void add_writer_seeds(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, int kind, const Bytes& payload) {
    Bytes bytes{static_cast<std::byte>(kind)};
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    seeds.push_back({"writers", name, std::move(bytes)});
  };
  const auto bytes_of = [](std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return Bytes(view.begin(), view.end());
  };
  add("exclude", 0, encode(WriterMessage(Exclude{"17.web1.5f0c9a31/3", {"#w1#web1"}})));
  add("announce", 0, encode(WriterMessage(Announce{{configuration, configuration}})));
  const Record record{producer(), 3, Lines{{"three", "four"}}};
  add("offer", 0, encode(WriterMessage(Offer{configuration, {{record, "d1"}, {record}}})));
  HistoryRequest request;
  request.group = "weblogs";
  request.from = Points{{10, 1, 7}, {20, 2, 8}};
  request.bytes_max = 1000;
  add("request", 1, encode(request));
  request.from = FromLine{7};
  add("request-line", 1, encode(request));
  request.from = FromTime{7};
  add("request-time", 1, encode(request));
  request.from = FromPosition{Position{configuration, 4, 0}};
  add("request-position", 1, encode(request));
  request.from = FromFront{};
  add("request-front", 1, encode(request));
  const auto [entry, data] = sample_entry();
  const auto text = entry_line(entry).substr(checksum_bytes);
  const auto size = text.size() - 1;
  add("reply",
      2,
      bytes_of(
          std::string{static_cast<char>(size & 255U), static_cast<char>(size >> 8U)} +
          text.substr(0, size) + data));
  add("history", 3, bytes_of(static_cast<char>(200) + data.substr(0, 200) + text));
  add("segment",
      4,
      bytes_of(
          pending_head(record, "17.web1.5f0c9a31/4/0", "no majority") + "\nthree\nfour\nstrange\n" +
          pending_head(Record{producer(), 9, Dropped{3, 30}}, "17.web1.5f0c9a31/4/1", "why") +
          "\nmarker\n"));
}

}  // namespace ringcast::fuzz
