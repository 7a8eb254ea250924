// SPDX-License-Identifier: Apache-2.0
//
// The record codec. Layout: docs/logging.md, "Records".
#include "tools/ringlog/record.hpp"

#include <algorithm>
#include <utility>

#include "tools/ringlog/bytes.hpp"
#include "tools/ringlog/packing.hpp"
#include "tools/ringlog/record_head.hpp"

namespace ringcast::ringlog {

namespace {

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
  RecordKind operator()(const Lines& /*body*/) const { return RecordKind::lines; }
  RecordKind operator()(const Dropped& /*body*/) const { return RecordKind::dropped; }
  RecordKind operator()(const TooLong& /*body*/) const { return RecordKind::too_long; }
  RecordKind operator()(const Settle& /*body*/) const { return RecordKind::settle; }
};

std::uint32_t count_of(const Record& record) {
  if (const auto* lines = std::get_if<Lines>(&record.body)) {
    return static_cast<std::uint32_t>(lines->lines.size());
  }
  if (const auto* dropped = std::get_if<Dropped>(&record.body)) return dropped->numbers;
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

Result<Lines> read_packed_lines(PayloadReader& in, std::uint32_t count) {
  const auto packed = in.raw(in.left());
  const auto bytes_max = count == 1 ? line_bytes_max + line_overhead_bytes : unpacked_bytes_max;
  const auto body = unpack(std::as_bytes(std::span(packed)), bytes_max);
  if (!body) return malformed(body.error().message);
  PayloadReader unpacked(*body);
  auto lines = read_lines(unpacked, count);
  if (lines && !unpacked.done()) return malformed("its length does not fit its content");
  return lines;
}

Result<Lines> read_any_lines(PayloadReader& in, const RecordHead& head) {
  return head.kind == RecordKind::lines ? read_lines(in, head.count)
                                        : read_packed_lines(in, head.count);
}

}  // namespace

Range range_of(const Record& record) {
  return Range{record.first_seq, record.first_seq + std::max(count_of(record), 1U) - 1};
}

std::vector<std::byte> encode(const Record& record) {
  PayloadWriter out;
  out.reserve(record_overhead_bytes_max + std::visit(Sizer{}, record.body));
  write_head(
      out,
      RecordHead{
          std::visit(KindOf{}, record.body),
          record.wants_receipt,
          record.producer,
          record.first_seq,
          count_of(record)});
  std::visit(BodyWriter{out}, record.body);
  return out.take();
}

Result<Record> decode_record(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  auto head = read_head(in);
  if (!head) return head.error();
  Record record;
  record.producer = std::move(head->producer);
  record.first_seq = head->first_seq;
  record.wants_receipt = head->wants_receipt;
  switch (head->kind) {
    case RecordKind::lines:
    case RecordKind::packed_lines: {
      auto lines = read_any_lines(in, *head);
      if (!lines) return lines.error();
      record.body = std::move(lines).value();
      break;
    }
    case RecordKind::dropped: {
      Dropped body;
      body.lines = in.number<std::uint64_t>();
      body.bytes = in.number<std::uint64_t>();
      body.numbers = head->count;
      record.body = body;
      break;
    }
    case RecordKind::too_long:
      record.body = TooLong{in.number<std::uint64_t>()};
      break;
    case RecordKind::settle:
      record.body = Settle{};
      break;
  }
  if (!in.done()) return malformed("its length does not fit its content");
  return record;
}

}  // namespace ringcast::ringlog
