// SPDX-License-Identifier: Apache-2.0
//
// The table codec. Layout: docs/logging.md, "Tables".
#include "tools/ringlog/table_message.hpp"

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t table_version = 1;

Error malformed(const std::string& what) {
  return Error{Errc::malformed, "writers' table: " + what};
}

Result<void> read_entry(PayloadReader& in, Table& table) {
  Producer producer;
  for (auto& byte : producer.id.bytes) {
    byte = in.number<std::uint8_t>();
  }
  producer.name = in.short_text();
  const auto ranges = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < ranges; ++i) {
    Range range;
    range.first = in.number<std::uint64_t>();
    range.last = in.number<std::uint64_t>();
    if (!in.ok()) return malformed("ends inside a range");
    if (range.first == 0 || range.first > range.last) return malformed("a range without lines");
    (void)table.add(producer, range);
  }
  if (!in.ok()) return malformed("ends inside a producer");
  return {};
}

}  // namespace

std::string writers_group(const std::string& group) { return group + ".writers"; }

std::vector<std::byte> encode(const TableMessage& message) {
  PayloadWriter out;
  out.number(table_version);
  out.number(static_cast<std::uint8_t>(message.is_news ? 1 : 0));
  out.short_text(message.view);
  out.number(static_cast<std::uint16_t>(message.component.size()));
  for (const auto& member : message.component) {
    out.short_text(member);
  }
  out.number(message.chain);
  out.number(static_cast<std::uint32_t>(message.table.entries().size()));
  for (const auto& [id, entry] : message.table.entries()) {
    for (const auto byte : id.bytes) {
      out.number(byte);
    }
    out.short_text(entry.name);
    const auto ranges = entry.seen.ranges();
    out.number(static_cast<std::uint32_t>(ranges.size()));
    for (const auto& range : ranges) {
      out.number(range.first);
      out.number(range.last);
    }
  }
  return out.take();
}

Result<TableMessage> decode_table(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  const auto version = in.number<std::uint8_t>();
  if (in.ok() && version != table_version) {
    return Error{
        Errc::unsupported_version,
        "writers' table: version " + std::to_string(version) + ", we read version 1"};
  }
  TableMessage message;
  const auto kind = in.number<std::uint8_t>();
  if (kind > 1) return malformed("unknown kind " + std::to_string(kind));
  message.is_news = kind == 1;
  message.view = in.short_text();
  const auto members = in.number<std::uint16_t>();
  for (std::uint16_t i = 0; i < members && in.ok(); ++i) {
    message.component.emplace_back(in.short_text());
  }
  message.chain = in.number<std::uint64_t>();
  const auto producers = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < producers; ++i) {
    if (auto entry = read_entry(in, message.table); !entry) return entry.error();
  }
  if (!in.done()) return malformed("its length does not fit its content");
  return message;
}

}  // namespace ringcast::ringlog
