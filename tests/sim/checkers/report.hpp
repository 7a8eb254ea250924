// SPDX-License-Identifier: Apache-2.0
//
// Report: the violations a checker found, each under the name of the invariant it breaks
// (E1, G4, ...). Bounded: the first few of each invariant say enough.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ringcast::sim {

struct Violation {
  std::string invariant;
  std::string what;  ///< nodes, messages, times
};

class Report {
 public:
  void fail(const std::string& invariant, std::string what) {
    if (++counts_[invariant] > kept_per_invariant) return;
    violations_.push_back({.invariant = invariant, .what = std::move(what)});
  }
  /// What another one found, too.
  void add(const Report& other) {
    for (const Violation& violation : other.violations_) {
      fail(violation.invariant, violation.what);
    }
  }
  [[nodiscard]] bool ok() const { return violations_.empty(); }
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
  [[nodiscard]] std::size_t count(const std::string& invariant) const {
    const auto at = counts_.find(invariant);
    return at == counts_.end() ? 0 : at->second;
  }
  [[nodiscard]] const std::map<std::string, std::size_t>& counts() const { return counts_; }

 private:
  static constexpr std::size_t kept_per_invariant = 4;
  std::vector<Violation> violations_;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace ringcast::sim
