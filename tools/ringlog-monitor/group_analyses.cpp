// SPDX-License-Identifier: Apache-2.0
//
// One line to one or two analyses: that of all, and that of its group.
#include "tools/ringlog-monitor/group_analyses.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::monitor {

GroupAnalyses::GroupAnalyses(
    const LineParser& parser, const AnalysisOptions& options, std::vector<std::string> names)
    : parser_(parser), all_(parser, options), names_(std::move(names)) {
  if (names_.size() <= 1) return;
  each_.reserve(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) {
    each_.emplace_back(parser, options);
  }
}

template <typename Function>
void GroupAnalyses::for_each_of(const Origin& origin, Function&& function) {
  for (std::size_t i = 0; i < each_.size(); ++i) {
    const auto& groups = origin.groups;  // a group that is named twice is one group
    if (std::find(groups.begin(), groups.end(), names_[i]) != groups.end()) function(each_[i]);
  }
}

void GroupAnalyses::add_line(std::string_view line, const Origin& origin, Instant arrival) {
  const auto request = parser_.parse(line);
  all_.add_parsed(request, line, origin, arrival);
  for_each_of(origin, [&](Analysis& own) { own.add_parsed(request, line, origin, arrival); });
}

void GroupAnalyses::add_lost(std::uint64_t lines, const Origin& origin, Instant arrival) {
  all_.add_lost(lines, origin, arrival);
  for_each_of(origin, [&](Analysis& own) { own.add_lost(lines, origin, arrival); });
}

void GroupAnalyses::advance(Instant arrival) {
  all_.advance(arrival);
  for (auto& own : each_) {
    own.advance(arrival);
    (void)own.take_alerts();
  }
}

const Analysis* GroupAnalyses::find(std::string_view name) const {
  if (name.empty()) return &all_;
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return nullptr;
  return each_.empty() ? &all_ : &each_[static_cast<std::size_t>(found - names_.begin())];
}

}  // namespace ringcast::monitor
