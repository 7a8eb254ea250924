// SPDX-License-Identifier: Apache-2.0
//
// The options of ringlog-write's configuration as a table: section, key, kind, bounds, which
// types of sinks have it, and where its value goes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "configuration/options.hpp"
#include "tools/ringlog-write/config/writer_config.hpp"

namespace ringcast::ringlog {

struct WriterOption {
  /// A problem and its remedy, or nothing.
  using Outcome = std::optional<ConfigProblem>;

  OptionShape shape;
  std::vector<SinkType> types;  ///< empty: all
  /// Into the last group or sink of the configuration.
  std::function<void(WriterConfig&, std::uint64_t)> set_number;
  std::function<Outcome(WriterConfig&, const std::string&)> set_text;
  std::function<Outcome(WriterConfig&, const std::vector<std::string>&)> set_texts;
};

const std::vector<WriterOption>& writer_options();
/// "file" and so on; nothing when there is no such type.
std::optional<SinkType> parse_sink_type(const std::string& text);
std::string to_string(SinkType type);
const std::vector<std::string>& sink_types();

}  // namespace ringcast::ringlog
