// SPDX-License-Identifier: Apache-2.0
//
// PostgresqlConnection: libpq without a call that waits for ever: every wait has a deadline and
// can be interrupted.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/sinks/interruption.hpp"

struct pg_conn;
struct pg_result;

namespace ringcast::ringlog {

class PostgresqlConnection {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  /// `connection` is a libpq connection string or URI. Errors: io.
  static Result<PostgresqlConnection> open(
      const std::string& connection, const Interruption& interruption);

  /// Runs one statement; its rows as text.
  Result<Rows> query(const std::string& sql, const std::vector<std::string>& values = {});
  /// COPY ... FROM STDIN with these bytes.
  Result<void> copy(const std::string& sql, std::string_view data);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Clear>;

  PostgresqlConnection(pg_conn* connection, const Interruption& interruption)
      : connection_(connection), interruption_(&interruption) {}

  Result<void> connect();
  /// Sends what waits to be sent.
  Result<void> flush();
  /// The last answer to what was sent, or the first error.
  Result<Answer> answer();
  Result<void> wait(short events);
  [[nodiscard]] Error failure() const;

  std::unique_ptr<pg_conn, Close> connection_;
  const Interruption* interruption_;
};

}  // namespace ringcast::ringlog
