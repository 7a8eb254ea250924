// SPDX-License-Identifier: Apache-2.0
//
// ConfigDocument: a TOML file as a flat list of tables, every key and value with its place.
// The only part that sees the TOML parser; it knows no option and judges nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast {

/// From 1; 0 stands for "nowhere in the file".
struct FilePosition {
  unsigned line{0};
  unsigned column{0};

  auto operator<=>(const FilePosition&) const = default;
};

/// One thing wrong, where, and what to do about it.
struct ConfigProblem {
  FilePosition at;
  std::string problem;
  std::string remedy;
};

/// "FILE:LINE:COLUMN: problem; remedy".
std::string describe(std::string_view file, const ConfigProblem& problem);

struct ConfigValue {
  enum class Kind : std::uint8_t { text, integer, boolean, number, date, list, table };

  Kind kind{Kind::text};
  std::string text;
  std::int64_t integer{0};  ///< of a boolean: 0 or 1
  FilePosition at;
  std::vector<ConfigValue> items;  ///< of a list
};

std::string_view to_string(ConfigValue::Kind kind);

struct ConfigEntry {
  std::string key;
  FilePosition at;
  ConfigValue value;
};

/// `[name]` or, repeated, `[[name]]`.
struct ConfigTable {
  std::string name;
  bool repeated{false};
  FilePosition at;
  std::vector<ConfigEntry> entries;
};

struct ConfigDocument {
  std::vector<ConfigTable> tables;
  std::vector<ConfigEntry> loose;       ///< keys above the first table
  std::vector<ConfigProblem> problems;  ///< of syntax; then the rest is empty
};

/// `reference` is the file that shows every option, for remedies.
ConfigDocument parse_document(
    std::string_view text, std::string_view reference = "conf/ringcast.toml");

}  // namespace ringcast
