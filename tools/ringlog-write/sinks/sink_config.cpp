// SPDX-License-Identifier: Apache-2.0
//
// From a configuration to a sink.
#include "tools/ringlog-write/sinks/sink_config.hpp"

#include <utility>

#include "tools/ringlog-write/sinks/exec_sink.hpp"
#include "tools/ringlog-write/sinks/postgresql_sink.hpp"
#include "tools/ringlog-write/sinks/sqlite_sink.hpp"
#include "tools/ringlog-write/sinks/stream_sink.hpp"

namespace ringcast::ringlog {

std::unique_ptr<Sink> make_sink(
    const SinkConfig& config,
    const std::string& memory,
    std::function<void(const std::string&)> tell) {
  const auto name = config.group + "/" + config.name;
  const auto& database = config.database;
  switch (config.type) {
    case SinkType::file:
      return std::make_unique<FileSink>(config.file, config.group, memory, std::move(tell));
    case SinkType::sqlite:
      return std::make_unique<SqliteSink>(
          SqliteSink::Options{database.target, database.table, database.format, name});
    case SinkType::postgresql:
      return std::make_unique<PostgresqlSink>(
          PostgresqlSink::Options{database.target, database.table, database.format, name});
    case SinkType::exec:
      return std::make_unique<ExecSink>(ExecSink::Options{
          config.exec.command,
          config.exec.json,
          config.exec.answers,
          config.group,
          memory,
          std::move(tell)});
    case SinkType::standard_output:
      return std::make_unique<StreamSink>(
          StreamSink::Options{1, config.exec.json, config.group, memory});
  }
  return nullptr;
}

}  // namespace ringcast::ringlog
