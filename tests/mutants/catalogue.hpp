// SPDX-License-Identifier: Apache-2.0
//
// What the *.mutant files say of themselves; plant.py writes the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringcast::mutants {

struct Mutant {
  int number{0};
  std::string name;
  std::string what;
  std::vector<std::string> killers;  ///< invariants of which one must speak
  std::string plan;
  std::vector<std::uint64_t> quick;  ///< seeds of the plan that kill it at little cost
};

/// Ascending by number.
const std::vector<Mutant>& catalogue();

}  // namespace ringcast::mutants
