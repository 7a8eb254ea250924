// SPDX-License-Identifier: Apache-2.0
//
// Hunt: seeds against mutants. A mutant is killed by a seed whose run breaks one of the
// invariants its file names. A run that ends in an assertion, or takes too long, is counted and
// kills nothing: no invariant said what was wrong.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mutants/catalogue.hpp"
#include "sim/seed_process.hpp"

namespace ringcast::mutants {

struct Seeds {
  std::uint64_t first{1};
  std::uint64_t last{1000};
};

struct Kill {
  std::uint64_t seed{0};
  std::string invariant;      ///< the first of the mutant's list that was broken
  std::set<std::string> all;  ///< every invariant the seed broke
  std::uint64_t inputs{0};    ///< what the seed cost, in inputs of nodes
};

struct HuntResult {
  std::vector<Kill> kills;                     ///< ascending by seed
  std::uint64_t seeds{0};                      ///< that ran
  std::uint64_t assertions{0};                 ///< runs that ended in one
  std::uint64_t hangs{0};                      ///< runs that took too long
  std::map<std::string, std::uint64_t> other;  ///< seeds that broke only what was not expected
};

struct HuntOptions {
  unsigned jobs{1};
  unsigned seed_limit_s{60};
};

/// Runs `seeds` of `plan` until `kills` of them have killed the mutant.
HuntResult hunt(
    const Mutant& mutant,
    const std::string& plan,
    Seeds seeds,
    std::size_t kills,
    const HuntOptions& options);

/// For each mutant its quick seeds and, when they are out of date, the first ones of its plan;
/// all mutants in one pool. Returns by number the kill, or nothing.
std::map<int, std::optional<Kill>> smoke(
    const std::vector<Mutant>& mutants, const HuntOptions& options);

}  // namespace ringcast::mutants
