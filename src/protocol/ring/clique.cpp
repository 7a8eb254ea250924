// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/clique.hpp"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/base/limits.hpp"

namespace ringcast {
namespace {

// Each missing link doubles the work at most; beyond this the search takes the first it finds.
constexpr unsigned steps_max = 2000;

using Set = std::bitset<join_keys_max>;  ///< of indexes into the candidates

class Search {
 public:
  Search(const NodeKey& self, std::vector<NodeKey> candidates, const AreLinked& are_linked)
      : candidates_(std::move(candidates)) {
    std::erase_if(
        candidates_, [&](const NodeKey& key) { return key != self && !are_linked(self, key); });
    RC_ASSERT(candidates_.size() <= join_keys_max);
    apart_.resize(candidates_.size());
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (are_linked(candidates_[i], candidates_[j])) continue;
        apart_[i].set(j);
        apart_[j].set(i);
      }
    }
  }

  std::vector<NodeKey> run() {
    Set all;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      all.set(i);
    }
    branch(all);
    std::vector<NodeKey> result;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (best_.test(i)) result.push_back(candidates_[i]);
    }
    return result;
  }

 private:
  using Pair = std::pair<std::size_t, std::size_t>;

  void branch(Set set) {
    if (set.count() < best_.count()) return;
    const auto missing = missing_link(set);
    if (!missing) {
      if (set.count() > best_.count() || is_before(set, best_)) best_ = set;
      return;
    }
    const bool is_hopeless = ++steps_ > steps_max && best_.any();
    if (is_hopeless) return;
    branch(Set{set}.reset(missing->second));
    branch(set.reset(missing->first));
  }

  /// The pair without a link, of the member that lacks most of them: removing it settles most.
  [[nodiscard]] std::optional<Pair> missing_link(const Set& set) const {
    std::size_t worst = 0;
    std::size_t most = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!set.test(i)) continue;
      const std::size_t count = (set & apart_[i]).count();
      if (count < most || count == 0) continue;
      most = count;
      worst = i;
    }
    if (most == 0) return std::nullopt;
    const Set partners = set & apart_[worst];
    std::size_t partner = candidates_.size() - 1;
    while (!partners.test(partner)) {
      --partner;
    }
    // The second is the one left out first.
    return Pair{partner, worst};
  }

  /// Of two sets of one size: where they differ first, it has the smaller id.
  [[nodiscard]] bool is_before(const Set& set, const Set& other) const {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (set.test(i) != other.test(i)) return set.test(i);
    }
    return false;
  }

  std::vector<NodeKey> candidates_;  ///< linked with us, ascending
  std::vector<Set> apart_;           ///< by index: with whom it has no link
  Set best_;
  unsigned steps_{0};
};

}  // namespace

std::vector<NodeKey> best_clique(
    const NodeKey& self, const std::vector<NodeKey>& candidates, const AreLinked& are_linked) {
  return Search{self, candidates, are_linked}.run();
}

}  // namespace ringcast
