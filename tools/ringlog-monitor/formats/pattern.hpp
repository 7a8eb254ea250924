// SPDX-License-Identifier: Apache-2.0
//
// Pattern: a log format as literal text and fields in turn, as Apache's LogFormat and nginx's
// log_format have it. A value reaches to the next occurrence of the literal behind it; between
// quotes a backslash hides the character behind it. So a line is read once from left to right,
// whatever it holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/formats/field.hpp"

namespace ringcast::monitor {

class Pattern {
 public:
  /// Adds to the end.
  void add(std::string_view literal);
  void add(Field field);

  /// Checks that values can be told apart. `name` is the format as the user wrote it.
  /// Errors: invalid_argument.
  [[nodiscard]] Result<void> check(std::string_view name) const;

  /// The whole line, or false. `request` is to be empty before and is undefined after a failure.
  bool match(std::string_view line, Request& request) const;

 private:
  struct Part {
    Field field{Field::ignored};
    std::string literal;  // what follows the field
  };

  std::string head_;  // before the first field
  std::vector<Part> parts_;
};

}  // namespace ringcast::monitor
