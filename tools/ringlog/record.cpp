// SPDX-License-Identifier: Apache-2.0
//
// The record codec. Layout: docs/logging.md, "Records".
#include "tools/ringlog/record.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t record_version = 1;
enum class Kind : std::uint8_t { lines = 1, dropped = 2, too_long = 3, settle = 4 };

struct Sizer {
  std::size_t operator()(const Lines& body) const {
    std::size_t bytes = 0;
    for (const auto& line : body.lines) {
      bytes += line.size() + line_overhead_bytes;
    }
    return bytes;
  }
  std::size_t operator()(const Dropped& /*body*/) const { return 16; }
  std::size_t operator()(const TooLong& /*body*/) const { return 8; }
  std::size_t operator()(const Settle& /*body*/) const { return 0; }
};

struct BodyWriter {
  PayloadWriter& out;

  void operator()(const Lines& body) const {
    for (const auto& line : body.lines) {
      out.number(static_cast<std::uint32_t>(line.size()));
      out.raw(line);
    }
  }
  void operator()(const Dropped& body) const {
    out.number(body.lines);
    out.number(body.bytes);
  }
  void operator()(const TooLong& body) const { out.number(body.bytes); }
  void operator()(const Settle& /*body*/) const {}
};

struct KindOf {
  Kind operator()(const Lines& /*body*/) const { return Kind::lines; }
  Kind operator()(const Dropped& /*body*/) const { return Kind::dropped; }
  Kind operator()(const TooLong& /*body*/) const { return Kind::too_long; }
  Kind operator()(const Settle& /*body*/) const { return Kind::settle; }
};

std::uint32_t count_of(const Record& record) {
  if (const auto* lines = std::get_if<Lines>(&record.body)) {
    return static_cast<std::uint32_t>(lines->lines.size());
  }
  return std::holds_alternative<Settle>(record.body) ? 0 : 1;
}

Error malformed(const std::string& what) { return Error{Errc::malformed, "log record: " + what}; }

Result<Lines> read_lines(PayloadReader& in, std::uint32_t count) {
  // Each line takes four bytes at least, so a false count cannot make us allocate much.
  if (count == 0 || count > in.left() / line_overhead_bytes) {
    return malformed("its count of lines does not fit its length");
  }
  Lines body;
  body.lines.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto line = in.raw(in.number<std::uint32_t>());
    if (line.find('\n') != std::string_view::npos) return malformed("a line holds a newline");
    body.lines.emplace_back(line);
  }
  return body;
}

}  // namespace

Range range_of(const Record& record) {
  return Range{record.first_seq, record.first_seq + std::max(count_of(record), 1U) - 1};
}

std::vector<std::byte> encode(const Record& record) {
  PayloadWriter out;
  out.reserve(record_overhead_bytes_max + std::visit(Sizer{}, record.body));
  out.number(record_version);
  out.number(static_cast<std::uint8_t>(std::visit(KindOf{}, record.body)));
  for (const auto byte : record.producer.id.bytes) {
    out.number(byte);
  }
  out.number(record.first_seq);
  out.number(count_of(record));
  out.short_text(record.producer.name);
  std::visit(BodyWriter{out}, record.body);
  return out.take();
}

Result<Record> decode_record(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  const auto version = in.number<std::uint8_t>();
  if (in.ok() && version != record_version) {
    return Error{
        Errc::unsupported_version,
        "log record: version " + std::to_string(version) + ", we read version 1"};
  }
  const auto kind = in.number<std::uint8_t>();
  Record record;
  for (auto& byte : record.producer.id.bytes) {
    byte = in.number<std::uint8_t>();
  }
  record.first_seq = in.number<std::uint64_t>();
  const auto count = in.number<std::uint32_t>();
  record.producer.name = in.short_text();
  if (!in.ok()) return malformed("ends inside its head");
  if (record.producer.name.size() > producer_name_bytes_max) return malformed("name too long");
  if (record.first_seq > std::numeric_limits<std::uint64_t>::max() - count) {
    return malformed("its sequence numbers pass the end");
  }
  const bool is_settle = kind == static_cast<std::uint8_t>(Kind::settle);
  if (is_settle != (record.first_seq == 0)) return malformed("sequence number 0");
  if (kind == static_cast<std::uint8_t>(Kind::lines)) {
    auto lines = read_lines(in, count);
    if (!lines) return lines.error();
    record.body = std::move(lines).value();
  } else if (count != (is_settle ? 0U : 1U)) {
    return malformed("a count that does not fit its kind");
  } else if (kind == static_cast<std::uint8_t>(Kind::dropped)) {
    Dropped body;
    body.lines = in.number<std::uint64_t>();
    body.bytes = in.number<std::uint64_t>();
    record.body = body;
  } else if (kind == static_cast<std::uint8_t>(Kind::too_long)) {
    record.body = TooLong{in.number<std::uint64_t>()};
  } else if (is_settle) {
    record.body = Settle{};
  } else {
    return malformed("unknown kind " + std::to_string(kind));
  }
  if (!in.done()) return malformed("its length does not fit its content");
  return record;
}

}  // namespace ringcast::ringlog
