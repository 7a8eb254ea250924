// SPDX-License-Identifier: Apache-2.0
//
// The codec of writers' messages. Layout: docs/logging.md, "Between writers".
#include "tools/ringlog-write/writer_message.hpp"

#include <utility>

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t writer_version = 1;
enum class Kind : std::uint8_t { exclude = 1, announce = 2, offer = 3 };

Error malformed(const std::string& what) {
  return Error{Errc::malformed, "writers' message: " + what};
}

struct BodyWriter {
  PayloadWriter& out;

  void operator()(const Exclude& body) const {
    out.number(static_cast<std::uint8_t>(Kind::exclude));
    out.short_text(body.sync);
    out.number(static_cast<std::uint16_t>(body.members.size()));
    for (const auto& member : body.members) {
      out.short_text(member);
    }
  }
  void operator()(const Announce& body) const {
    out.number(static_cast<std::uint8_t>(Kind::announce));
    out.number(static_cast<std::uint32_t>(body.configurations.size()));
    for (const auto& configuration : body.configurations) {
      out.short_text(to_string(configuration));
    }
  }
  void operator()(const Offer& body) const {
    out.number(static_cast<std::uint8_t>(Kind::offer));
    out.short_text(to_string(body.configuration));
    out.number(static_cast<std::uint32_t>(body.records.size()));
    for (const auto& [record, daemon] : body.records) {
      const auto payload = encode(record);
      out.short_text(daemon);
      out.number(static_cast<std::uint32_t>(payload.size()));
      out.raw({reinterpret_cast<const char*>(payload.data()), payload.size()});
    }
  }
};

Exclude read_exclude(PayloadReader& in) {
  Exclude body;
  body.sync = in.short_text();
  const auto members = in.number<std::uint16_t>();
  for (std::uint16_t i = 0; i < members && in.ok(); ++i) {
    body.members.emplace_back(in.short_text());
  }
  return body;
}

Result<WriterMessage> read_announce(PayloadReader& in) {
  Announce body;
  const auto count = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    auto configuration = parse_configuration_id(in.short_text());
    if (!configuration) return configuration.error();
    body.configurations.push_back(std::move(configuration).value());
  }
  return WriterMessage(std::move(body));
}

Result<WriterMessage> read_offer(PayloadReader& in) {
  Offer body;
  auto configuration = parse_configuration_id(in.short_text());
  if (!configuration) return malformed("no configuration");
  body.configuration = std::move(configuration).value();
  const auto count = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    std::string daemon(in.short_text());
    const auto payload = in.raw(in.number<std::uint32_t>());
    auto record = decode_record(std::as_bytes(std::span(payload)));
    if (!record) return record.error();
    if (record->first_seq == 0) return malformed("a record without lines");
    body.records.push_back(OfferedRecord{std::move(record).value(), std::move(daemon)});
  }
  return WriterMessage(std::move(body));
}

}  // namespace

std::vector<std::byte> encode(const WriterMessage& message) {
  PayloadWriter out;
  out.number(writer_version);
  std::visit(BodyWriter{out}, message);
  return out.take();
}

Result<WriterMessage> decode_writer_message(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  const auto version = in.number<std::uint8_t>();
  if (in.ok() && version != writer_version) {
    return Error{
        Errc::unsupported_version,
        "writers' message: version " + std::to_string(version) + ", we read version 1"};
  }
  Result<WriterMessage> message = malformed("unknown kind");
  switch (static_cast<Kind>(in.number<std::uint8_t>())) {
    case Kind::exclude:
      message = WriterMessage(read_exclude(in));
      break;
    case Kind::announce:
      message = read_announce(in);
      break;
    case Kind::offer:
      message = read_offer(in);
      break;
  }
  if (message && !in.done()) return malformed("its length does not fit its content");
  return message;
}

}  // namespace ringcast::ringlog
