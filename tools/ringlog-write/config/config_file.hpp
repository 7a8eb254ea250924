// SPDX-License-Identifier: Apache-2.0
//
// ConfigFile: where ringlog-write's configuration lies, in either language, and the telling of
// what is wrong with it.
#pragma once

#include <optional>
#include <string>

#include "tools/ringlog-write/config/writer_config.hpp"

namespace ringcast::ringlog {

struct ConfigFile {
  std::string config;  ///< a TOML file; or
  std::string compat;  ///< one of spreadlogd
  std::string state;   ///< overrides the directory of journals

  /// Reads and checks it. Nothing when it cannot be used; why is on stderr, each problem as
  /// "FILE:LINE:COLUMN: problem; remedy". Notes are there too.
  [[nodiscard]] std::optional<WriterConfig> read() const;
  /// "FILE: ok" on stdout.
  void tell_ok() const;
};

[[nodiscard]] bool uses_standard_output(const WriterConfig& config);

}  // namespace ringcast::ringlog
