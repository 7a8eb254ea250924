// SPDX-License-Identifier: Apache-2.0
//
// OpenMetrics: the text format 1.0 that Prometheus reads. One family after the other, each with
// all of its samples; label values may hold any bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace ringcast::monitor {

class OpenMetrics {
 public:
  static constexpr auto content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";

  enum class Type { counter, gauge, histogram, info };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// Begins a family. `unit` is the end of the name, or empty.
  void family(std::string_view name, Type type, std::string_view unit, std::string_view help);
  /// A sample of the family. `suffix` is what its type asks for: _total for a counter, _bucket,
  /// _sum and _count for a histogram, _info for an info. REQUIRES: family() was called.
  void sample(std::string_view suffix, Labels labels, std::uint64_t value);
  void sample(std::string_view suffix, Labels labels, double value);

  /// All of it, with its end.
  [[nodiscard]] std::string finish() &&;

 private:
  void begin_sample(std::string_view suffix, Labels labels);

  std::string text_;
  std::string name_;
};

/// The shortest text that is read as this number, with a point or an exponent.
std::string number_text(double value);

}  // namespace ringcast::monitor
