// SPDX-License-Identifier: Apache-2.0
#include "sim/arrow.hpp"

#include <algorithm>

#include "protocol/wire/codec.hpp"
#include "sim/history.hpp"

namespace ringcast::sim {

namespace {

constexpr std::size_t column = 6;

struct Words {
  std::string operator()(const Data& data) const {
    return (data.recovered ? "recovered data seq " : "data seq ") + std::to_string(data.seq.value);
  }
  std::string operator()(const Token& token) const {
    return "token " + std::to_string(token.token_seq) + " seq " + std::to_string(token.seq.value) +
           " aru " + std::to_string(token.aru.value) + (token.rtr.empty() ? "" : " rtr");
  }
  std::string operator()(const Join&) const { return "join"; }
  std::string operator()(const CommitToken&) const { return "commit token"; }
  std::string operator()(const Probe&) const { return "probe"; }
  std::string operator()(const Wakeup&) const { return "wakeup"; }
};

}  // namespace

std::string arrow(
    std::size_t hosts,
    Instant now,
    std::size_t from,
    std::size_t to,
    const BufferRef& bytes,
    Fate fate) {
  std::string line(column * hosts, ' ');
  for (std::size_t host = 0; host < hosts; ++host) {
    line[column * host] = '|';
  }
  const auto [left, right] = std::minmax({column * from, column * to});
  std::fill(
      line.begin() + static_cast<std::ptrdiff_t>(left),
      line.begin() + static_cast<std::ptrdiff_t>(right),
      '-');
  line[column * from] = 'o';
  line[column * to] = fate != Fate::sent ? 'x' : (from < to ? '>' : '<');
  const Result<Packet> packet = decode(bytes);
  const std::string time = show(now);
  return std::string(time.size() < 12 ? 12 - time.size() : 0, ' ') + time + "  " + line +
         (packet.ok() ? std::visit(Words{}, packet->body) : "not a packet");
}

}  // namespace ringcast::sim
