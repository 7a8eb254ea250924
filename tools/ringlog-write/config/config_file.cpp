// SPDX-License-Identifier: Apache-2.0
//
// A file, its reader, its problems.
#include "tools/ringlog-write/config/config_file.hpp"

#include <algorithm>
#include <cstdio>

#include "tools/common/exit_codes.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-write/config/spreadlogd.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

constexpr auto program = "ringlog-write";

}  // namespace

std::optional<WriterConfig> ConfigFile::read() const {
  const auto& path = config.empty() ? compat : config;
  const auto text = read_file(path);
  if (!text || !text->has_value()) {
    tools::report(program, text ? path + ": there is no such file" : text.error().message);
    return std::nullopt;
  }
  auto read = config.empty() ? read_spreadlogd(**text, state) : read_writer_config(**text);
  for (const auto& problem : read.problems) {
    (void)std::fprintf(stderr, "%s\n", describe(path, problem).c_str());
  }
  if (!read.problems.empty()) return std::nullopt;
  for (const auto& note : read.notes) {
    tools::report(program, "note: " + describe(path, note));
  }
  return std::move(read.config);
}

void ConfigFile::tell_ok() const {
  (void)tools::print_line(program, (config.empty() ? compat : config) + ": ok");
}

bool uses_standard_output(const WriterConfig& config) {
  return std::any_of(config.sinks.begin(), config.sinks.end(), [](const SinkConfig& sink) {
    return sink.type == SinkType::standard_output;
  });
}

}  // namespace ringcast::ringlog
