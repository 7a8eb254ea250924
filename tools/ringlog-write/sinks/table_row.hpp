// SPDX-License-Identifier: Apache-2.0
//
// TableRow: a line as columns of a table, the same in every database. A value is text, a
// number, bytes, or nothing. Text is UTF-8 without NUL; a line that is not has its bytes in a
// column of their own, and a readable form in the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/formats/line_parser.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

enum class ColumnType : std::uint8_t { text, integer, time, flag, bytes };

struct Column {
  std::string_view name;
  ColumnType type{ColumnType::text};
};

/// Nothing: NULL. Times are texts like "2026-01-02T03:04:05.678Z"; flags are 0 or 1.
struct Bytes {
  std::string_view value;
};
using TableValue = std::variant<std::monostate, std::string, std::int64_t, Bytes>;

class TableRows {
 public:
  /// Errors: invalid_argument, when a format is none.
  static Result<TableRows> make(const std::vector<std::string>& formats);

  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  /// One value per column. Bytes are views of the line.
  [[nodiscard]] std::vector<TableValue> row(const SinkLine& line);

 private:
  explicit TableRows(std::optional<monitor::LineParser> parser);

  std::vector<Column> columns_;
  std::optional<monitor::LineParser> parser_;
};

}  // namespace ringcast::ringlog
