// SPDX-License-Identifier: Apache-2.0
//
// WriterConfig: what a configuration of ringlog-write says: groups, each with a journal, and
// sinks, each of one group. Reading collects every problem with its line and column.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "configuration/document.hpp"
#include "tools/ringlog-write/keep.hpp"
#include "tools/ringlog-write/sinks/sink_config.hpp"

namespace ringcast::ringlog {

struct GroupConfig {
  std::string name;
  std::string journal;  ///< path
  bool adopt{false};    ///< take a journal that has no sidecar
  Keep keep;            ///< how much of the journal

  bool operator==(const GroupConfig&) const = default;
};

struct WriterConfig {
  std::string socket;  ///< of the daemon; empty: the usual one
  std::string server;
  std::string as;
  std::string state;        ///< directory of journals that have no path of their own
  std::string status_file;  ///< empty: none
  std::chrono::milliseconds status_interval{10000};
  std::vector<GroupConfig> groups;
  std::vector<SinkConfig> sinks;
};

struct ReadWriterConfig {
  WriterConfig config;                  ///< meaningful only without problems
  std::vector<ConfigProblem> problems;  ///< in file order
  std::vector<ConfigProblem> notes;     ///< what is understood otherwise than its author may think
};

ReadWriterConfig read_writer_config(std::string_view text);

/// STATE_DIRECTORY, else /var/lib/ringlog.
std::string default_state_directory();

/// The keys of [writer], [[group]] and [[sink]], "section.key" each; for the test that
/// conf/ringlog-write.toml shows them all.
std::vector<std::string> writer_config_keys();

}  // namespace ringcast::ringlog
