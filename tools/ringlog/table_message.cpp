// SPDX-License-Identifier: Apache-2.0
//
// The table codec. Layout: docs/logging.md, "Tables".
#include "tools/ringlog/table_message.hpp"

#include <algorithm>

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t table_version = 1;
constexpr std::size_t text_head_bytes = 2;
constexpr std::size_t range_bytes = 16;

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

std::size_t head_bytes(const TableMessage& message) {
  std::size_t bytes = encode(TableMessage{}).size() + message.view.size();
  for (const auto& member : message.component) {
    bytes += text_head_bytes + member.size();
  }
  return bytes;
}

// Fills one table after another, each to be encoded in at most that many bytes.
class Splitter {
 public:
  explicit Splitter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void add(const Producer& producer, Range range) {
    const auto head =
        producer.id.bytes.size() + text_head_bytes + producer.name.size() + sizeof(std::uint32_t);
    const bool is_begun = parts_.back().entries().contains(producer.id);
    const auto bytes = range_bytes + (is_begun ? 0 : head);
    if (used_ > 0 && used_ + bytes > bytes_max_) {
      parts_.emplace_back();
      used_ = head + range_bytes;
    } else {
      used_ += bytes;
    }
    (void)parts_.back().add(producer, range);
  }
  [[nodiscard]] const std::vector<Table>& parts() const { return parts_; }

 private:
  std::size_t bytes_max_;
  std::size_t used_{0};  // of the last one
  std::vector<Table> parts_{1};
};

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
  out.number(message.part);
  out.number(message.parts);
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

std::vector<std::vector<std::byte>> encode_in_parts(
    const TableMessage& message, std::size_t bytes_max) {
  const auto head = head_bytes(message);
  Splitter splitter(bytes_max - std::min(bytes_max, head));
  for (const auto& [id, entry] : message.table.entries()) {
    for (const auto& range : entry.seen.ranges()) {
      splitter.add(Producer{id, entry.name}, range);
    }
  }
  TableMessage part = message;
  part.parts = static_cast<std::uint32_t>(splitter.parts().size());
  std::vector<std::vector<std::byte>> encoded;
  for (const auto& table : splitter.parts()) {
    part.part = static_cast<std::uint32_t>(encoded.size() + 1);
    part.table = table;
    encoded.push_back(encode(part));
  }
  return encoded;
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
  message.part = in.number<std::uint32_t>();
  message.parts = in.number<std::uint32_t>();
  if (in.ok() && (message.part == 0 || message.part > message.parts)) {
    return malformed("a part beyond its number of parts");
  }
  const auto producers = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < producers; ++i) {
    if (auto entry = read_entry(in, message.table); !entry) return entry.error();
  }
  if (!in.done()) return malformed("its length does not fit its content");
  return message;
}

}  // namespace ringcast::ringlog
