// SPDX-License-Identifier: Apache-2.0
//
// GroupAnalyses: the figures of all lines together, and, when several names are given, those of
// each group by itself. Every line is parsed once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/line_sink.hpp"

namespace ringcast::monitor {

class GroupAnalyses : public LineSink {
 public:
  /// With no more than one name there is one Analysis, which is that group's.
  GroupAnalyses(
      const LineParser& parser, const AnalysisOptions& options, std::vector<std::string> names);

  void add_line(std::string_view line, const Origin& origin, Instant arrival) override;
  void add_lost(std::uint64_t lines, const Origin& origin, Instant arrival) override;
  /// Time goes on in all of them. Alerts of single groups stand in their figures only.
  void advance(Instant arrival);

  [[nodiscard]] Analysis& all() { return all_; }
  [[nodiscard]] const Analysis& all() const { return all_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Null when there is no such group; the empty name is all of them.
  [[nodiscard]] const Analysis* find(std::string_view name) const;

 private:
  template <typename Function>
  void for_each_of(const Origin& origin, Function&& function);

  LineParser parser_;
  Analysis all_;
  std::vector<std::string> names_;
  std::vector<Analysis> each_;  // by names_, or none
};

}  // namespace ringcast::monitor
