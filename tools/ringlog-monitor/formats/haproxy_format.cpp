// SPDX-License-Identifier: Apache-2.0
//
// CLIENT:PORT [TIME] FRONTEND BACKEND/SERVER TR/Tw/Tc/Tr/Ta STATUS BYTES CC CS TERM CONNS QUEUES
// {HEADERS} "REQUEST"
#include "tools/ringlog-monitor/formats/haproxy_format.hpp"

#include <algorithm>

#include "tools/ringlog-monitor/formats/field.hpp"
#include "tools/ringlog-monitor/formats/values.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t brackets_max = 8;  // in a syslog head
constexpr std::size_t timers = 5;

// Up to the next blank.
std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// Finds "CLIENT:PORT [TIME] ", takes it over and leaves what follows.
bool take_head(std::string_view& line, Request& request) {
  std::size_t from = 0;
  for (std::size_t tries = 0; tries < brackets_max; ++tries) {
    const auto open = line.find(" [", from);
    const auto close = line.find("] ", open);
    if (open == std::string_view::npos || close == std::string_view::npos) return false;
    request.time = parse_common_time(line.substr(open + 2, close - open - 2));
    if (request.time) {
      const auto before = line.substr(0, open);
      const auto address = before.substr(before.rfind(' ') + 1);  // npos + 1: from the beginning
      request.client = address.substr(0, address.rfind(':'));
      line.remove_prefix(close + 2);
      return !request.client.empty();
    }
    from = open + 2;
  }
  return false;
}

// The last timer is the whole time; it has a plus sign under `option logasap`.
bool take_timers(std::string_view word, Request& request) {
  if (std::count(word.begin(), word.end(), '/') != timers - 1) return false;
  word.remove_prefix(word.rfind('/') + 1);
  if (word.starts_with('-')) return true;
  if (word.starts_with('+')) word.remove_prefix(1);
  return assign(request, Field::latency_milliseconds, word);
}

bool take_status_and_bytes(std::string_view& line, Request& request) {
  const auto status = take_word(line);
  if (status != "-1" && !assign(request, Field::status, status)) return false;
  auto bytes = take_word(line);
  if (bytes.starts_with('+')) bytes.remove_prefix(1);
  return assign(request, Field::bytes, bytes);
}

// Cookies, state at the end, connections, queues.
bool skip_counters(std::string_view& line) {
  for (int word = 0; word < 3; ++word) {
    if (take_word(line).empty()) return false;
  }
  const auto connections = take_word(line);
  const auto queues = take_word(line);
  return std::count(connections.begin(), connections.end(), '/') == 4 &&
         std::count(queues.begin(), queues.end(), '/') == 1;
}

}  // namespace

bool match_haproxy(std::string_view line, Request& request) {
  if (!take_head(line, request)) return false;
  if (take_word(line).empty()) return false;  // front end
  request.server = take_word(line);
  if (request.server.find('/') == std::string_view::npos) return false;
  if (!take_timers(take_word(line), request)) return false;
  if (!take_status_and_bytes(line, request) || !skip_counters(line)) return false;
  // Captured headers may hold blanks, and quotes as well.
  while (line.starts_with('{')) {
    const auto end = line.find("} ");
    if (end == std::string_view::npos) return false;
    line.remove_prefix(end + 2);
  }
  if (!line.starts_with('"')) return false;
  line.remove_prefix(1);
  if (line.ends_with('"')) line.remove_suffix(1);
  // HAProxy writes a quote inside as #22.
  if (line.find('"') != std::string_view::npos) return false;
  return assign(request, Field::request, line);
}

}  // namespace ringcast::monitor
