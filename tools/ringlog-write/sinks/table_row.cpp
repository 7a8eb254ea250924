// SPDX-License-Identifier: Apache-2.0
//
// The columns and what is in them.
#include "tools/ringlog-write/sinks/table_row.hpp"

#include <utility>

#include "tools/common/utf8.hpp"
#include "tools/ringlog-write/sinks/line_json.hpp"

namespace ringcast::ringlog {

namespace {

std::string readable(std::string_view bytes) {
  const bool is_text = tools::is_valid_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
  if (is_text) return std::string(bytes);
  std::string text;
  tools::append_one_line(text, bytes);
  return text;
}

TableValue text_or_nothing(std::string_view text) {
  if (text.empty()) return std::monostate{};
  return readable(text);
}

template <class Number>
TableValue number_or_nothing(const std::optional<Number>& number) {
  if (!number) return std::monostate{};
  return static_cast<std::int64_t>(*number);
}

void append_request(std::vector<TableValue>& row, const monitor::Request& request) {
  row.push_back(text_or_nothing(request.client));
  row.push_back(
      request.time ? TableValue(iso_time(request.time->time_since_epoch().count()))
                   : TableValue(std::monostate{}));
  row.push_back(text_or_nothing(request.method));
  row.push_back(text_or_nothing(request.page));
  row.push_back(number_or_nothing(request.status));
  row.push_back(number_or_nothing(request.bytes));
  row.push_back(text_or_nothing(request.referrer));
  row.push_back(text_or_nothing(request.agent));
  row.push_back(text_or_nothing(request.server));
  row.push_back(
      request.latency ? TableValue(static_cast<std::int64_t>(request.latency->count()))
                      : TableValue(std::monostate{}));
}

}  // namespace

Result<TableRows> TableRows::make(const std::vector<std::string>& formats) {
  if (formats.empty()) return TableRows(std::nullopt);
  auto parser = monitor::LineParser::make(formats);
  if (!parser) return parser.error();
  return TableRows(std::move(parser).value());
}

TableRows::TableRows(std::optional<monitor::LineParser> parser) : parser_(std::move(parser)) {
  columns_ = {
      {"position", ColumnType::integer},
      {"received", ColumnType::time},
      {"publisher", ColumnType::text},
      {"daemon", ColumnType::text},
      {"producer", ColumnType::text},
      {"seq", ColumnType::integer},
      {"vhost", ColumnType::text},
      {"marker", ColumnType::flag},
      {"line", ColumnType::text},
      {"raw", ColumnType::bytes}};
  if (!parser_) return;
  columns_.insert(
      columns_.end(),
      {{"client", ColumnType::text},
       {"logged", ColumnType::time},
       {"method", ColumnType::text},
       {"page", ColumnType::text},
       {"status", ColumnType::integer},
       {"bytes", ColumnType::integer},
       {"referrer", ColumnType::text},
       {"agent", ColumnType::text},
       {"server", ColumnType::text},
       {"latency_us", ColumnType::integer}});
}

std::vector<TableValue> TableRows::row(const SinkLine& line) {
  const auto& journal = *line.journal;
  std::vector<TableValue> row;
  row.reserve(columns_.size());
  row.emplace_back(static_cast<std::int64_t>(journal.end));
  row.emplace_back(iso_time(journal.origin.time_ms));
  if (journal.is_marker) {
    row.resize(row.size() + 4);
  } else {
    row.push_back(text_or_nothing(journal.origin.source->name));
    row.push_back(text_or_nothing(journal.origin.source->daemon));
    row.push_back(text_or_nothing(journal.origin.source->producer));
    row.emplace_back(static_cast<std::int64_t>(journal.origin.first_seq));
  }
  row.push_back(text_or_nothing(line.vhost));
  row.emplace_back(std::int64_t{journal.is_marker ? 1 : 0});
  auto text = readable(line.text);
  const bool is_exact = text == line.text;
  row.emplace_back(std::move(text));
  row.push_back(is_exact ? TableValue(std::monostate{}) : TableValue(Bytes{line.text}));
  if (!parser_) return row;
  const auto request = journal.is_marker ? std::nullopt : parser_->parse(line.text);
  append_request(row, request.value_or(monitor::Request{}));
  return row;
}

}  // namespace ringcast::ringlog
