// SPDX-License-Identifier: Apache-2.0
//
// JsonLine: writes one JSON object on one line straight into a string, fields in the order
// of the calls. It exists because a subscriber prints hundreds of thousands of objects a
// second; it neither reads JSON nor builds trees. Text must be valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/names.hpp"

namespace ringcast::tools {

/// Appends `text` between quotes, escaped as RFC 8259 demands.
void append_json_string(std::string& out, std::string_view text);

class JsonLine {
 public:
  /// Opens the object at the end of `out`, which outlives this.
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }

  JsonLine& text(std::string_view name, std::string_view value);
  JsonLine& number(std::string_view name, std::uint64_t value);
  JsonLine& integer(std::string_view name, std::int64_t value);
  /// With three decimals.
  JsonLine& seconds(std::string_view name, double value);
  JsonLine& boolean(std::string_view name, bool value);
  JsonLine& null(std::string_view name);
  JsonLine& words(std::string_view name, const std::vector<std::string>& values);
  JsonLine& members(std::string_view name, const std::vector<MemberName>& values);
  JsonLine& numbers(std::string_view name, const std::vector<std::uint64_t>& values);

  /// Nested values: every open has its close. An element of an array has no key.
  JsonLine& open_object(std::string_view name);
  JsonLine& open_element();
  JsonLine& close_object();
  JsonLine& open_array(std::string_view name);
  JsonLine& close_array();

  /// The key only: the caller appends one value to the string itself.
  void key(std::string_view name);
  /// Closes the object and ends the line.
  void end();

 private:
  void separate();

  std::string& out_;
};

}  // namespace ringcast::tools
