// SPDX-License-Identifier: Apache-2.0
//
// libpq's asynchronous calls around one poll.
#include "tools/ringlog-write/sinks/postgresql_connection.hpp"

#include <algorithm>
#include <array>
#include <libpq-fe.h>
#include <poll.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::seconds connect_time{10};
constexpr std::chrono::seconds answer_time{60};
constexpr std::size_t copy_bytes_max = std::size_t{1} << 20U;

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Error problem(const std::string& what) { return Error{Errc::io, "PostgreSQL: " + what}; }

}  // namespace

void PostgresqlConnection::Close::operator()(pg_conn* connection) const { ::PQfinish(connection); }
void PostgresqlConnection::Clear::operator()(pg_result* result) const { ::PQclear(result); }

Error PostgresqlConnection::failure() const {
  return problem(one_line(::PQerrorMessage(connection_.get())));
}

Result<PostgresqlConnection> PostgresqlConnection::open(
    const std::string& connection, const Interruption& interruption) {
  // What comes later goes first: the string may say otherwise.
  const std::array<const char*, 5> keys{
      "application_name", "tcp_user_timeout", "client_encoding", "dbname", nullptr};
  const std::array<const char*, 5> values{
      "ringlog-write", "30000", "UTF8", connection.c_str(), nullptr};
  PostgresqlConnection made(::PQconnectStartParams(keys.data(), values.data(), 1), interruption);
  if (!made.connection_) return problem("no memory");
  if (auto connected = made.connect(); !connected) return connected.error();
  return made;
}

Result<void> PostgresqlConnection::connect() {
  const auto deadline = Interruption::Clock::now() + connect_time;
  auto state = ::PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                               : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return failure();
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const auto woken = interruption_->wait(::PQsocket(connection_.get()), events, deadline);
    if (woken == Interruption::Woken::interrupted) return problem("not connected before the end");
    if (woken == Interruption::Woken::deadline) return problem("no answer within 10 s");
    state = ::PQconnectPoll(connection_.get());
  }
  if (::PQsetnonblocking(connection_.get(), 1) != 0) return failure();
  return {};
}

Result<void> PostgresqlConnection::wait(short events) {
  const auto woken = interruption_->wait(
      ::PQsocket(connection_.get()), events, Interruption::Clock::now() + answer_time);
  if (woken == Interruption::Woken::interrupted) return problem("no answer before the end");
  if (woken == Interruption::Woken::deadline) return problem("no answer within 60 s");
  return {};
}

Result<void> PostgresqlConnection::flush() {
  for (;;) {
    const int left = ::PQflush(connection_.get());
    if (left < 0) return failure();
    if (left == 0) return {};
    if (auto waited = wait(POLLIN | POLLOUT); !waited) return waited;
    if (::PQconsumeInput(connection_.get()) == 0) return failure();
  }
}

Result<PostgresqlConnection::Answer> PostgresqlConnection::answer() {
  if (auto flushed = flush(); !flushed) return flushed.error();
  Answer last;
  for (;;) {
    while (::PQisBusy(connection_.get()) != 0) {
      if (auto waited = wait(POLLIN); !waited) return waited.error();
      if (::PQconsumeInput(connection_.get()) == 0) return failure();
    }
    Answer next(::PQgetResult(connection_.get()));
    if (!next) break;
    const auto status = ::PQresultStatus(next.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      return problem(one_line(::PQresultErrorMessage(next.get())));
    }
    last = std::move(next);
    if (status == PGRES_COPY_IN) break;  // it waits for the data
  }
  if (!last) return failure();
  return last;
}

Result<PostgresqlConnection::Rows> PostgresqlConnection::query(
    const std::string& sql, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const auto& value : values) {
    texts.push_back(value.c_str());
  }
  const int sent = ::PQsendQueryParams(
      connection_.get(),
      sql.c_str(),
      static_cast<int>(texts.size()),
      nullptr,
      texts.data(),
      nullptr,
      nullptr,
      0);
  if (sent == 0) return failure();
  const auto result = answer();
  if (!result) return result.error();
  Rows rows;
  for (int row = 0; row < ::PQntuples(result->get()); ++row) {
    auto& fields = rows.emplace_back();
    for (int column = 0; column < ::PQnfields(result->get()); ++column) {
      fields.emplace_back(::PQgetvalue(result->get(), row, column));
    }
  }
  return rows;
}

Result<void> PostgresqlConnection::copy(const std::string& sql, std::string_view data) {
  const auto begun = query(sql);
  if (!begun) return begun.error();
  while (!data.empty()) {
    const auto piece = data.substr(0, copy_bytes_max);
    const int put =
        ::PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
    if (put < 0) return failure();
    if (put > 0) data.remove_prefix(piece.size());
    if (auto flushed = flush(); !flushed) return flushed;
  }
  for (;;) {
    const int put = ::PQputCopyEnd(connection_.get(), nullptr);
    if (put < 0) return failure();
    if (put > 0) break;
    if (auto flushed = flush(); !flushed) return flushed;
  }
  const auto done = answer();
  if (!done) return done.error();
  return {};
}

}  // namespace ringcast::ringlog
