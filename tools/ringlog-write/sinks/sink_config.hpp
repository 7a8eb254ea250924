// SPDX-License-Identifier: Apache-2.0
//
// SinkConfig: one sink as a configuration names it, checked; and the sink that follows from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/file_sink.hpp"
#include "tools/ringlog-write/sinks/line_rules.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

enum class SinkType : std::uint8_t { file, sqlite, postgresql, exec, standard_output };

/// A database sink's options.
struct DatabaseOptions {
  std::string target;               ///< SQLite: the file; PostgreSQL: a connection string
  std::string table{"ringlog"};     ///< made when it is not there
  std::vector<std::string> format;  ///< line formats whose fields become columns; empty: none

  bool operator==(const DatabaseOptions&) const = default;
};

struct ExecOptions {
  std::vector<std::string> command;  ///< program and arguments, no shell
  bool json{false};                  ///< one object a line; else the line itself
  bool answers{false};               ///< a line counts when the program has answered it

  bool operator==(const ExecOptions&) const = default;
};

struct SinkConfig {
  std::string group;
  std::string name;  ///< unique within its group; a word
  SinkType type{SinkType::file};
  bool from_end{false};
  LineRuleOptions rules;
  FileSinkOptions file;
  DatabaseOptions database;
  ExecOptions exec;

  bool operator==(const SinkConfig&) const = default;
};

/// `memory` is the path of what it has to remember, for the sinks that have no better place.
std::unique_ptr<Sink> make_sink(
    const SinkConfig& config,
    const std::string& memory,
    std::function<void(const std::string&)> tell);

}  // namespace ringcast::ringlog
