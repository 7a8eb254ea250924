// SPDX-License-Identifier: Apache-2.0
//
// The codec of requests for a file's history. Layout: docs/logging.md, "History".
#include "tools/ringlog-write/history_message.hpp"

#include <string_view>
#include <utility>

#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t history_version = 1;
constexpr std::size_t point_bytes = 24;
enum class From : std::uint8_t { points = 0, line = 1, time = 2, position = 3, front = 4 };

Error malformed(const std::string& what) { return Error{Errc::malformed, "log history: " + what}; }

void write_point(PayloadWriter& out, const FilePoint& point) {
  out.number(point.length);
  out.number(point.lines);
  out.number(point.chain);
}

FilePoint read_point(PayloadReader& in) {
  FilePoint point;
  point.length = in.number<std::uint64_t>();
  point.lines = in.number<std::uint64_t>();
  point.chain = in.number<std::uint64_t>();
  return point;
}

void write_position(PayloadWriter& out, const Position& position) {
  out.short_text(to_string(position.configuration));
  out.number(position.seq);
  out.number(position.index);
}

Result<Position> read_position(PayloadReader& in) {
  auto configuration = parse_configuration_id(in.short_text());
  if (!configuration) return malformed("no configuration");
  Position position;
  position.configuration = std::move(configuration).value();
  position.seq = in.number<std::uint64_t>();
  position.index = in.number<std::uint32_t>();
  return position;
}

void write_text(PayloadWriter& out, std::string_view text) {
  out.number(static_cast<std::uint32_t>(text.size()));
  out.raw(text);
}

struct FromWriter {
  PayloadWriter& out;

  void operator()(const Points& points) const {
    out.number(static_cast<std::uint8_t>(From::points));
    out.number(static_cast<std::uint16_t>(points.size()));
    for (const auto& point : points) {
      write_point(out, point);
    }
  }
  void operator()(const FromLine& from) const {
    out.number(static_cast<std::uint8_t>(From::line));
    out.number(from.number);
  }
  void operator()(const FromTime& from) const {
    out.number(static_cast<std::uint8_t>(From::time));
    out.number(from.time_ms);
  }
  void operator()(const FromPosition& from) const {
    out.number(static_cast<std::uint8_t>(From::position));
    write_position(out, from.position);
  }
  void operator()(const FromFront& /*from*/) const {
    out.number(static_cast<std::uint8_t>(From::front));
  }
};

Result<Points> read_points(PayloadReader& in) {
  const auto count = in.number<std::uint16_t>();
  if (count > in.left() / point_bytes) return malformed("more places than bytes");
  Points points;
  for (std::uint16_t i = 0; i < count; ++i) {
    points.push_back(read_point(in));
    if (i > 0 && points[i].length <= points[i - 1].length) return malformed("places descend");
  }
  return points;
}

Result<void> read_from(PayloadReader& in, HistoryRequest& request) {
  switch (static_cast<From>(in.number<std::uint8_t>())) {
    case From::points: {
      auto points = read_points(in);
      if (!points) return points.error();
      request.from = std::move(points).value();
      return {};
    }
    case From::line:
      request.from = FromLine{in.number<std::uint64_t>()};
      return {};
    case From::time:
      request.from = FromTime{in.number<std::int64_t>()};
      return {};
    case From::position: {
      auto position = read_position(in);
      if (!position) return position.error();
      request.from = FromPosition{std::move(position).value()};
      return {};
    }
    case From::front:
      request.from = FromFront{};
      return {};
  }
  return malformed("unknown place");
}

Result<void> read_entries(std::string_view text, HistoryReply& reply) {
  auto here = reply.agreed;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return malformed("an entry without end");
    auto entry = parse_entry(text.substr(0, end), here);
    if (!entry || entry->before != here || entry->after.length < here.length) {
      return malformed("an entry that does not follow the one before");
    }
    here = entry->after;
    reply.entries.push_back(*std::move(entry));
    text.remove_prefix(end + 1);
  }
  if (here.length - reply.agreed.length != reply.data.size()) {
    return malformed("its lines are not as long as its entries say");
  }
  return {};
}

Result<void> check_version(PayloadReader& in) {
  const auto version = in.number<std::uint8_t>();
  if (!in.ok() || version == history_version) return {};
  return Error{
      Errc::unsupported_version,
      "log history: version " + std::to_string(version) + ", we read version 1"};
}

}  // namespace

std::vector<std::byte> encode(const HistoryRequest& request) {
  PayloadWriter out;
  out.number(history_version);
  out.short_text(request.group);
  out.number(request.id);
  out.number(request.bytes_max);
  out.number(request.until);
  out.number(static_cast<std::uint8_t>(request.wants_table ? 1 : 0));
  std::visit(FromWriter{out}, request.from);
  return out.take();
}

std::vector<std::byte> encode(const HistoryReply& reply) {
  PayloadWriter out;
  out.number(history_version);
  out.number(reply.id);
  const unsigned flags = (reply.is_served ? 1U : 0U) | (reply.is_live ? 2U : 0U) |
                         (reply.is_last ? 4U : 0U) | (reply.position ? 8U : 0U) |
                         (reply.begins != FilePoint{} ? 16U : 0U);
  out.number(static_cast<std::uint8_t>(flags));
  write_point(out, reply.agreed);
  write_point(out, reply.end);
  if (reply.position) write_position(out, *reply.position);
  if (reply.begins != FilePoint{}) write_point(out, reply.begins);
  std::string entries;
  for (const auto& entry : reply.entries) {
    entries += entry_line(entry);
  }
  write_text(out, entries);
  write_text(out, reply.data);
  return out.take();
}

Result<HistoryRequest> decode_history_request(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  if (auto version = check_version(in); !version) return version.error();
  HistoryRequest request;
  request.group = in.short_text();
  request.id = in.number<std::uint64_t>();
  request.bytes_max = in.number<std::uint64_t>();
  request.until = in.number<std::uint64_t>();
  request.wants_table = in.number<std::uint8_t>() != 0;
  if (auto from = read_from(in, request); !from) return from.error();
  if (!in.done()) return malformed("a request whose length does not fit its content");
  return request;
}

Result<HistoryReply> decode_history_reply(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  if (auto version = check_version(in); !version) return version.error();
  HistoryReply reply;
  reply.id = in.number<std::uint64_t>();
  const unsigned flags = in.number<std::uint8_t>();
  reply.is_served = (flags & 1U) != 0;
  reply.is_live = (flags & 2U) != 0;
  reply.is_last = (flags & 4U) != 0;
  reply.agreed = read_point(in);
  reply.end = read_point(in);
  if ((flags & 8U) != 0) {
    auto position = read_position(in);
    if (!position) return position.error();
    reply.position = std::move(position).value();
  }
  if ((flags & 16U) != 0) reply.begins = read_point(in);
  const auto entries = in.raw(in.number<std::uint32_t>());
  reply.data = in.raw(in.number<std::uint32_t>());
  if (!in.done()) return malformed("a reply whose length does not fit its content");
  if (auto read = read_entries(entries, reply); !read) return read.error();
  return reply;
}

}  // namespace ringcast::ringlog
