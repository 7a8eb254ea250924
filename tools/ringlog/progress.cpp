// SPDX-License-Identifier: Apache-2.0
//
// The progress codec. Layout: docs/logging.md, "Progress".
#include "tools/ringlog/progress.hpp"

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t progress_version = 1;

}  // namespace

std::vector<std::byte> encode_progress(const Position& position) {
  PayloadWriter out;
  out.number(progress_version);
  out.short_text(to_string(position.configuration));
  out.number(position.seq);
  out.number(position.index);
  return out.take();
}

Result<Position> decode_progress(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  if (in.number<std::uint8_t>() != progress_version && in.ok()) {
    return Error{Errc::unsupported_version, "writer's progress: we read version 1"};
  }
  auto configuration = parse_configuration_id(in.short_text());
  Position position;
  position.seq = in.number<std::uint64_t>();
  position.index = in.number<std::uint32_t>();
  if (!in.done()) return Error{Errc::malformed, "writer's progress: wrong length"};
  if (!configuration) return configuration.error();
  position.configuration = std::move(configuration).value();
  return position;
}

}  // namespace ringcast::ringlog
