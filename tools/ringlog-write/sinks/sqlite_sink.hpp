// SPDX-License-Identifier: Apache-2.0
//
// SqliteSink: lines as rows of a table, and the position in the same transaction: exactly once,
// whatever ends the process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/sink.hpp"
#include "tools/ringlog-write/sinks/table_row.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace ringcast::ringlog {

class SqliteSink : public Sink {
 public:
  struct Options {
    std::string database;  ///< path; made when it is not there
    std::string table;
    std::vector<std::string> formats;
    std::string name;  ///< of the sink, for its position
  };
  explicit SqliteSink(Options options) : options_(std::move(options)) {}

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  struct CloseStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;

  [[nodiscard]] Error failure(const std::string& what) const;
  Result<void> run(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);
  Result<void> make_tables();
  Result<void> insert(const SinkBatch& batch);

  Options options_;
  std::optional<TableRows> rows_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Statement insert_;
};

}  // namespace ringcast::ringlog
