// SPDX-License-Identifier: Apache-2.0
//
// The head of a record: version, kind, producer, first number, count, name.
#include "tools/ringlog/record_head.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t record_version = 1;
constexpr unsigned receipt_bit = 0x80;

Error malformed(const std::string& what) { return Error{Errc::malformed, "log record: " + what}; }

}  // namespace

void write_head(PayloadWriter& out, const RecordHead& head) {
  out.number(record_version);
  const auto kind = static_cast<unsigned>(head.kind) | (head.wants_receipt ? receipt_bit : 0U);
  out.number(static_cast<std::uint8_t>(kind));
  for (const auto byte : head.producer.id.bytes) {
    out.number(byte);
  }
  out.number(head.first_seq);
  out.number(head.count);
  out.short_text(head.producer.name);
}

Result<RecordHead> read_head(PayloadReader& in) {
  const auto version = in.number<std::uint8_t>();
  if (in.ok() && version != record_version) {
    return Error{
        Errc::unsupported_version,
        "log record: version " + std::to_string(version) + ", we read version 1"};
  }
  RecordHead head;
  const auto kind = static_cast<unsigned>(in.number<std::uint8_t>());
  head.wants_receipt = (kind & receipt_bit) != 0;
  for (auto& byte : head.producer.id.bytes) {
    byte = in.number<std::uint8_t>();
  }
  head.first_seq = in.number<std::uint64_t>();
  head.count = in.number<std::uint32_t>();
  head.producer.name = in.short_text();
  if (!in.ok()) return malformed("ends inside its head");
  const auto plain_kind = kind & ~receipt_bit;
  if (plain_kind < static_cast<unsigned>(RecordKind::lines) ||
      plain_kind > static_cast<unsigned>(RecordKind::packed_lines)) {
    return malformed("unknown kind " + std::to_string(plain_kind));
  }
  head.kind = static_cast<RecordKind>(plain_kind);
  if (head.producer.name.size() > producer_name_bytes_max) return malformed("name too long");
  if (head.first_seq > std::numeric_limits<std::uint64_t>::max() - head.count) {
    return malformed("its sequence numbers pass the end");
  }
  const bool is_settle = head.kind == RecordKind::settle;
  if (is_settle != (head.first_seq == 0)) return malformed("sequence number 0");
  const bool takes_none = head.count == 0;
  if (is_settle != takes_none || (head.kind == RecordKind::too_long && head.count != 1)) {
    return malformed("a count that does not fit its kind");
  }
  return head;
}

Result<RecordHead> head_of_record(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  return read_head(in);
}

Range range_of(const RecordHead& head) {
  return Range{head.first_seq, head.first_seq + std::max(head.count, 1U) - 1};
}

}  // namespace ringcast::ringlog
