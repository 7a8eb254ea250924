// SPDX-License-Identifier: Apache-2.0
//
// PostgresqlSink: lines as rows of a table, a batch by COPY and the position in the same
// transaction: exactly once, whatever ends us, the server or the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/interruption.hpp"
#include "tools/ringlog-write/sinks/postgresql_connection.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"
#include "tools/ringlog-write/sinks/table_row.hpp"

namespace ringcast::ringlog {

class PostgresqlSink : public Sink {
 public:
  struct Options {
    std::string connection;
    std::string table;
    std::vector<std::string> formats;
    std::string name;  ///< of the sink, for its position
  };
  explicit PostgresqlSink(Options options) : options_(std::move(options)) {}

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;
  void interrupt() override { interruption_.raise(); }

 private:
  Result<void> make_tables();
  Result<void> write_rows(const SinkBatch& batch);

  Options options_;
  Interruption interruption_;
  std::optional<TableRows> rows_;
  std::optional<PostgresqlConnection> connection_;
};

}  // namespace ringcast::ringlog
