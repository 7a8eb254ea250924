// SPDX-License-Identifier: Apache-2.0
//
// The grammar of spreadlogd.conf, and nothing of what it means. A mistake is told and the
// rest of its block is read all the same; whatever the bytes, it ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "configuration/document.hpp"
#include "configuration/options.hpp"

namespace ringcast::ringlog {

/// `WORD = VALUE`, or a WORD with what follows it.
struct SpreadlogdSetting {
  std::string key;
  std::string value;
  std::string more;  ///< of LoadModule: its configuration
  FilePosition at;
  FilePosition value_at;
};

struct SpreadlogdLog {
  FilePosition at;
  std::vector<SpreadlogdSetting> settings;
};

struct SpreadlogdSpread {
  FilePosition at;
  std::vector<SpreadlogdSetting> settings;
  std::vector<SpreadlogdLog> logs;
};

struct SpreadlogdFile {
  std::vector<SpreadlogdSetting> settings;
  std::vector<SpreadlogdSpread> spreads;
};

SpreadlogdFile parse_spreadlogd(std::string_view text, Complaints& complaints);

}  // namespace ringcast::ringlog
