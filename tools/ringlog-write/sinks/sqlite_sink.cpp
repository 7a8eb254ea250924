// SPDX-License-Identifier: Apache-2.0
//
// SQLite's C interface.
#include "tools/ringlog-write/sinks/sqlite_sink.hpp"

#include <array>
#include <cerrno>
#include <sqlite3.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr int busy_ms =
    2000;  // others that write; then it is a failure like any other, and tried again

std::string_view type_of(ColumnType type) {
  switch (type) {
    case ColumnType::text:
    case ColumnType::time:
      return "TEXT";
    case ColumnType::integer:
    case ColumnType::flag:
      return "INTEGER";
    case ColumnType::bytes:
      return "BLOB";
  }
  return "TEXT";
}

// Texts and bytes outlive the step that reads them.
int bind(sqlite3_stmt* statement, int at, const TableValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return ::sqlite3_bind_text64(
        statement, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return ::sqlite3_bind_int64(statement, at, *number);
  }
  if (const auto* bytes = std::get_if<Bytes>(&value)) {
    return ::sqlite3_bind_blob64(
        statement, at, bytes->value.data(), bytes->value.size(), SQLITE_STATIC);
  }
  return ::sqlite3_bind_null(statement, at);
}

std::string remedy_for(int code) {
  if (code == SQLITE_FULL) return remedy_of(ENOSPC);
  if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) return remedy_of(EACCES);
  return {};
}

}  // namespace

void SqliteSink::CloseDatabase::operator()(sqlite3* database) const {
  (void)::sqlite3_close_v2(database);
}
void SqliteSink::CloseStatement::operator()(sqlite3_stmt* statement) const {
  (void)::sqlite3_finalize(statement);
}

Error SqliteSink::failure(const std::string& what) const {
  const std::string why = database_ ? ::sqlite3_errmsg(database_.get()) : "no memory";
  return Error{
      Errc::io,
      options_.database + ": " + what + ": " + why +
          remedy_for(database_ ? ::sqlite3_errcode(database_.get()) : SQLITE_NOMEM)};
}

Result<void> SqliteSink::run(const std::string& sql) {
  if (::sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return {};
  }
  return failure(sql.substr(0, sql.find_first_of(" (")));
}

Result<SqliteSink::Statement> SqliteSink::prepare(const std::string& sql) {
  sqlite3_stmt* made = nullptr;
  const int code = ::sqlite3_prepare_v2(
      database_.get(), sql.c_str(), static_cast<int>(sql.size()), &made, nullptr);
  if (code != SQLITE_OK) return failure("table " + options_.table);
  return Statement(made);
}

Result<std::optional<SinkPosition>> SqliteSink::open(const std::string& journal) {
  auto rows = TableRows::make(options_.formats);
  if (!rows) return rows.error();
  rows_.emplace(std::move(rows).value());
  insert_.reset();
  sqlite3* made = nullptr;
  const int code = ::sqlite3_open_v2(
      options_.database.c_str(),
      &made,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  database_.reset(made);
  if (code != SQLITE_OK) return failure("cannot open");
  (void)::sqlite3_busy_timeout(database_.get(), busy_ms);
  if (auto ready = make_tables(); !ready) return ready.error();
  auto query = prepare(
      "SELECT journal, position FROM ringlog_position WHERE sink = ?1 ORDER BY journal = ?2 DESC, "
      "substr(journal, 1, 32) = substr(?2, 1, 32) DESC, journal DESC");
  if (!query) return query.error();
  const std::array<TableValue, 2> values{options_.name, journal};
  (void)bind(query->get(), 1, values[0]);
  (void)bind(query->get(), 2, values[1]);
  const int step = ::sqlite3_step(query->get());
  if (step == SQLITE_DONE) return std::optional<SinkPosition>{};
  if (step != SQLITE_ROW) return failure("cannot read its position");
  const auto* const text = ::sqlite3_column_text(query->get(), 0);
  SinkPosition position;
  if (text != nullptr) position.journal = reinterpret_cast<const char*>(text);
  position.offset = static_cast<std::uint64_t>(::sqlite3_column_int64(query->get(), 1));
  return std::optional<SinkPosition>(position);
}

Result<void> SqliteSink::make_tables() {
  std::string columns;
  std::string names;
  std::string marks;
  for (const auto& column : rows_->columns()) {
    const std::string comma = columns.empty() ? "" : ", ";
    columns += comma + "\"" + std::string(column.name) + "\" " + std::string(type_of(column.type));
    names += comma + "\"" + std::string(column.name) + "\"";
    marks += comma + "?";
  }
  for (const auto& sql :
       {std::string("PRAGMA journal_mode = WAL"),
        std::string("PRAGMA synchronous = FULL"),
        "CREATE TABLE IF NOT EXISTS \"" + options_.table + "\" (" + columns + ")",
        std::string("CREATE TABLE IF NOT EXISTS ringlog_position (sink TEXT NOT NULL, journal TEXT "
                    "NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (sink, journal))")}) {
    if (auto done = run(sql); !done) return done;
  }
  auto statement =
      prepare("INSERT INTO \"" + options_.table + "\" (" + names + ") VALUES (" + marks + ")");
  if (!statement) return statement.error();
  insert_ = std::move(statement).value();
  return {};
}

Result<void> SqliteSink::write(const SinkBatch& batch) {
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = insert(batch);
  if (done) done = run("COMMIT");
  if (!done) (void)::sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Result<void> SqliteSink::insert(const SinkBatch& batch) {
  for (const auto& line : batch.lines) {
    const auto row = rows_->row(line);
    int at = 0;
    bool is_bound = true;
    for (const auto& value : row) {
      is_bound = bind(insert_.get(), ++at, value) == SQLITE_OK && is_bound;
    }
    const bool is_in = is_bound && ::sqlite3_step(insert_.get()) == SQLITE_DONE;
    auto result = is_in ? Result<void>{} : failure("cannot insert a line");
    (void)::sqlite3_reset(insert_.get());
    (void)::sqlite3_clear_bindings(insert_.get());
    if (!result) return result;
  }
  auto position = prepare("INSERT OR REPLACE INTO ringlog_position VALUES (?1, ?2, ?3)");
  if (!position) return position.error();
  const std::array<TableValue, 3> values{
      options_.name, batch.journal, static_cast<std::int64_t>(batch.end)};
  for (int at = 0; at < 3; ++at) {
    (void)bind(position->get(), at + 1, values[static_cast<std::size_t>(at)]);
  }
  if (::sqlite3_step(position->get()) != SQLITE_DONE) return failure("cannot store its position");
  return {};
}

}  // namespace ringcast::ringlog
