// SPDX-License-Identifier: Apache-2.0
//
// The progress codec. Layout: docs/logging.md, "Progress".
#include "tools/ringlog/progress.hpp"

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint8_t progress_version = 1;

}  // namespace

void extend(Progress& progress, const Progress& next) {
  if (progress.last.configuration != next.first.configuration) progress.first = next.first;
  progress.last = next.last;
}

std::vector<std::byte> encode(const Progress& progress) {
  PayloadWriter out;
  out.number(progress_version);
  out.short_text(to_string(progress.last.configuration));
  for (const auto& position : {progress.first, progress.last}) {
    out.number(position.seq);
    out.number(position.index);
  }
  return out.take();
}

Result<Progress> decode_progress(std::span<const std::byte> payload) {
  PayloadReader in(payload);
  if (in.number<std::uint8_t>() != progress_version && in.ok()) {
    return Error{Errc::unsupported_version, "writer's progress: we read version 1"};
  }
  auto configuration = parse_configuration_id(in.short_text());
  Progress progress;
  for (auto* position : {&progress.first, &progress.last}) {
    position->seq = in.number<std::uint64_t>();
    position->index = in.number<std::uint32_t>();
  }
  if (!in.done()) return Error{Errc::malformed, "writer's progress: wrong length"};
  if (!configuration) return configuration.error();
  progress.first.configuration = *configuration;
  progress.last.configuration = std::move(configuration).value();
  if (progress.last < progress.first) {
    return Error{Errc::malformed, "writer's progress: it ends before it begins"};
  }
  return progress;
}

}  // namespace ringcast::ringlog
