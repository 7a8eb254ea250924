// SPDX-License-Identifier: Apache-2.0
//
// One transaction a batch.
#include "tools/ringlog-write/sinks/postgresql_sink.hpp"

#include <charconv>
#include <utility>

namespace ringcast::ringlog {

namespace {

std::string_view type_of(ColumnType type) {
  switch (type) {
    case ColumnType::text:
      return "text";
    case ColumnType::integer:
      return "bigint";
    case ColumnType::time:
      return "timestamptz";
    case ColumnType::flag:
      return "boolean";
    case ColumnType::bytes:
      return "bytea";
  }
  return "text";
}

// COPY's text form.
void append_text(std::string& out, std::string_view text) {
  for (const char letter : text) {
    switch (letter) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += letter;
    }
  }
}

void append_bytes(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\\\x";
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    out += digits[byte >> 4U];
    out += digits[byte & 0x0FU];
  }
}

void append_value(std::string& out, const TableValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_text(out, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*number);
  } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
    append_bytes(out, bytes->value);
  } else {
    out += "\\N";
  }
}

}  // namespace

Result<std::optional<SinkPosition>> PostgresqlSink::open(const std::string& journal) {
  auto rows = TableRows::make(options_.formats);
  if (!rows) return rows.error();
  rows_.emplace(std::move(rows).value());
  connection_.reset();
  auto connection = PostgresqlConnection::open(options_.connection, interruption_);
  if (!connection) return connection.error();
  connection_.emplace(std::move(connection).value());
  const auto encoding = connection_->query("SHOW server_encoding");
  if (!encoding) return encoding.error();
  if (encoding->empty() || (*encoding)[0][0] != "UTF8") {
    return Error{
        Errc::invalid_argument,
        "PostgreSQL: the database's encoding is not UTF8; create one with ENCODING 'UTF8'"};
  }
  if (auto made = make_tables(); !made) return made.error();
  const auto found = connection_->query(
      "SELECT journal, position FROM ringlog_position WHERE sink = $1 "
      "ORDER BY journal = $2 DESC, substr(journal, 1, 32) = substr($2, 1, 32) DESC, journal DESC "
      "LIMIT 1",
      {options_.name, journal});
  if (!found) return found.error();
  if (found->empty()) return std::optional<SinkPosition>{};
  SinkPosition position;
  position.journal = (*found)[0][0];
  const auto& text = (*found)[0][1];
  (void)std::from_chars(text.data(), text.data() + text.size(), position.offset);
  return std::optional<SinkPosition>(position);
}

// Asked first: whoever may only insert may not create, not even what is there.
Result<void> PostgresqlSink::make_tables() {
  std::string columns;
  for (const auto& column : rows_->columns()) {
    if (!columns.empty()) columns += ", ";
    columns.append(column.name).append(" ").append(type_of(column.type));
  }
  const std::vector<std::pair<std::string, std::string>> tables{
      {options_.table, columns},
      {"ringlog_position",
       "sink text NOT NULL, journal text NOT NULL, position bigint NOT NULL, "
       "PRIMARY KEY (sink, journal)"}};
  for (const auto& [name, definition] : tables) {
    const auto found = connection_->query("SELECT to_regclass($1) IS NOT NULL", {name});
    if (!found) return found.error();
    if (!found->empty() && (*found)[0][0] == "t") continue;
    std::string sql = "CREATE TABLE IF NOT EXISTS ";
    sql.append(name).append(" (").append(definition).append(")");
    const auto made = connection_->query(sql);
    if (!made) return made.error();
  }
  return {};
}

Result<void> PostgresqlSink::write(const SinkBatch& batch) {
  auto done = write_rows(batch);
  if (!done) connection_.reset();  // whether it was committed the position says
  return done;
}

Result<void> PostgresqlSink::write_rows(const SinkBatch& batch) {
  if (auto begun = connection_->query("BEGIN"); !begun) return begun.error();
  std::string data;
  for (const auto& line : batch.lines) {
    bool is_first = true;
    for (const auto& value : rows_->row(line)) {
      if (!std::exchange(is_first, false)) data += '\t';
      append_value(data, value);
    }
    data += '\n';
  }
  if (!data.empty()) {
    std::string names;
    for (const auto& column : rows_->columns()) {
      if (!names.empty()) names += ", ";
      names += column.name;
    }
    auto copied = connection_->copy("COPY " + options_.table + " (" + names + ") FROM STDIN", data);
    if (!copied) return copied;
  }
  const auto kept = connection_->query(
      "INSERT INTO ringlog_position VALUES ($1, $2, $3) "
      "ON CONFLICT (sink, journal) DO UPDATE SET position = excluded.position",
      {options_.name, batch.journal, std::to_string(batch.end)});
  if (!kept) return kept.error();
  const auto committed = connection_->query("COMMIT");
  if (!committed) return committed.error();
  return {};
}

}  // namespace ringcast::ringlog
