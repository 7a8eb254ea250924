// SPDX-License-Identifier: Apache-2.0
//
// The table codec. Layout: docs/logging.md, "Tables".
#include "tools/ringlog/table_message.hpp"

#include <algorithm>
#include <utility>

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t table_version = 3;
constexpr std::size_t text_head_bytes = 2;
constexpr std::size_t range_bytes = 16;

Error malformed(const std::string& what) {
  return Error{Errc::malformed, "writers' table: " + what};
}

void write_names(PayloadWriter& out, const std::set<std::string>& names) {
  out.number(static_cast<std::uint16_t>(names.size()));
  for (const auto& name : names) {
    out.short_text(name);
  }
}

std::set<std::string> read_names(PayloadReader& in) {
  std::set<std::string> names;
  const auto count = in.number<std::uint16_t>();
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    names.emplace(in.short_text());
  }
  return names;
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

Result<Table> read_table(PayloadReader& in) {
  Table table;
  const auto producers = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < producers; ++i) {
    if (auto entry = read_entry(in, table); !entry) return entry.error();
  }
  return table;
}

void write_table(PayloadWriter& out, const Table& table) {
  out.number(static_cast<std::uint32_t>(table.entries().size()));
  for (const auto& [id, entry] : table.entries()) {
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
}

Result<std::optional<Position>> read_position(PayloadReader& in) {
  const auto configuration = in.short_text();
  Position position;
  position.seq = in.number<std::uint64_t>();
  position.index = in.number<std::uint32_t>();
  if (configuration.empty()) return std::optional<Position>{};
  auto parsed = parse_configuration_id(configuration);
  if (!parsed) return parsed.error();
  position.configuration = std::move(parsed).value();
  return std::optional<Position>(std::move(position));
}

std::size_t head_bytes(TableMessage message) {
  message.table = Table{};
  message.gaps = Table{};
  return encode(message).size();
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
  void add(const Table& table) {
    for (const auto& [id, entry] : table.entries()) {
      for (const auto& range : entry.seen.ranges()) {
        add(Producer{id, entry.name}, range);
      }
    }
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
  out.number(static_cast<std::uint8_t>((message.is_news ? 1 : 0) + (message.is_live ? 2 : 0)));
  out.short_text(message.sync);
  out.number(message.end.length);
  out.number(message.end.lines);
  out.number(message.end.chain);
  out.short_text(message.position ? to_string(message.position->configuration) : std::string());
  out.number(message.position ? message.position->seq : 0);
  out.number(message.position ? message.position->index : 0);
  write_names(out, message.missed);
  write_names(out, message.formerly);
  out.number(message.part);
  out.number(message.parts);
  write_table(out, message.table);
  write_table(out, message.gaps);
  return out.take();
}

std::vector<std::vector<std::byte>> encode_in_parts(
    const TableMessage& message, std::size_t bytes_max) {
  const auto head = head_bytes(message);
  const auto room = bytes_max - std::min(bytes_max, head);
  Splitter table(room);
  Splitter gaps(room);
  table.add(message.table);
  gaps.add(message.gaps);
  const auto tables = table.parts().size();
  const auto all = tables + (message.gaps.empty() ? 0 : gaps.parts().size());
  TableMessage part = message;
  part.parts = static_cast<std::uint32_t>(all);
  std::vector<std::vector<std::byte>> encoded;
  for (std::size_t i = 0; i < all; ++i) {
    part.part = static_cast<std::uint32_t>(i + 1);
    part.table = i < tables ? table.parts()[i] : Table{};
    part.gaps = i < tables ? Table{} : gaps.parts()[i - tables];
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
        "writers' table: version " + std::to_string(version) + ", we read version " +
            std::to_string(table_version)};
  }
  TableMessage message;
  const auto kind = in.number<std::uint8_t>();
  if (kind > 2) return malformed("unknown kind " + std::to_string(kind));
  message.is_news = kind == 1;
  message.is_live = kind == 2;
  message.sync = in.short_text();
  message.end.length = in.number<std::uint64_t>();
  message.end.lines = in.number<std::uint64_t>();
  message.end.chain = in.number<std::uint64_t>();
  auto position = read_position(in);
  if (in.ok() && !position) return malformed(position.error().message);
  if (position) message.position = std::move(position).value();
  message.missed = read_names(in);
  message.formerly = read_names(in);
  message.part = in.number<std::uint32_t>();
  message.parts = in.number<std::uint32_t>();
  if (in.ok() && (message.part == 0 || message.part > message.parts)) {
    return malformed("a part beyond its number of parts");
  }
  auto table = read_table(in);
  if (!table) return table.error();
  message.table = std::move(table).value();
  auto gaps = read_table(in);
  if (!gaps) return gaps.error();
  message.gaps = std::move(gaps).value();
  if (!in.done()) return malformed("its length does not fit its content");
  return message;
}

}  // namespace ringcast::ringlog
