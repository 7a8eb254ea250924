// SPDX-License-Identifier: Apache-2.0
//
// LineRules: which lines a sink gets and what is changed in them: match, then take the virtual
// host off, then rewrite the time stamp. As spreadlogd does it, in that order. Markers pass
// unchanged, or not at all.
#pragma once

#include <memory>
#include <optional>
#include <re2/re2.h>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/log_time.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

struct LineRuleOptions {
  std::vector<std::string> match;  ///< RE2; a line passes when any fits, or there is none
  bool vhost{false};               ///< the first word is the virtual host, and taken off
  std::string timestamp;           ///< strftime; the first [...] is replaced; empty: kept
  bool utc{false};                 ///< else local time
  bool markers{true};              ///< marker lines pass

  bool operator==(const LineRuleOptions&) const = default;
};

/// What is wrong with the expression, or nothing.
std::optional<std::string> expression_problem(const std::string& expression);

class LineRules {
 public:
  /// REQUIRES: no expression has a problem.
  explicit LineRules(const LineRuleOptions& options);

  /// The batch as the sink gets it: its texts are views of `batch` and of this object, valid
  /// until the next call.
  SinkBatch apply(const JournalBatch& batch, const std::string& journal);

 private:
  [[nodiscard]] bool fits(std::string_view line) const;
  void rewrite(SinkLine& line);

  LineRuleOptions options_;
  std::vector<std::unique_ptr<re2::RE2>> match_;
  std::optional<TimeFormat> timestamp_;
  std::vector<std::string> rewritten_;
  std::size_t rewritten_count_{0};
};

/// spreadlogd's CommonLogFormat, as a strftime format.
inline constexpr const char* common_log_format = "[%d/%b/%Y:%H:%M:%S %z]";

}  // namespace ringcast::ringlog
