// SPDX-License-Identifier: Apache-2.0
//
// StderrLines: while one lives, what is written to stderr (by us or by what we run) does not
// disturb a full screen but can be asked for, line by line; the last ones are printed at the
// end. Only a stderr that is a terminal is taken: a file still gets everything at once.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "tools/ringlog/files.hpp"

namespace ringcast::monitor {

class StderrLines {
 public:
  StderrLines();
  ~StderrLines();
  StderrLines(const StderrLines&) = delete;
  StderrLines& operator=(const StderrLines&) = delete;

  /// The last line that was written since the last call.
  std::optional<std::string> last();

 private:
  void read();

  ringlog::Descriptor terminal_;  // the real stderr; closed when it was not taken
  ringlog::Descriptor reader_;
  std::string partial_;
  std::deque<std::string> lines_;  // for the end
  std::optional<std::string> fresh_;
};

}  // namespace ringcast::monitor
