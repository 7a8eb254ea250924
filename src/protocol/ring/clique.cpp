// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/clique.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace ringcast {
namespace {

// Each missing link doubles the work at most; beyond this the search takes the first it finds.
constexpr unsigned steps_max = 2000;

class Search {
 public:
  Search(const NodeKey& self, const AreLinked& are_linked) : self_(self), are_linked_(are_linked) {}

  std::vector<NodeKey> run(std::vector<NodeKey> candidates) {
    std::erase_if(
        candidates, [&](const NodeKey& key) { return key != self_ && !are_linked_(self_, key); });
    branch(std::move(candidates));
    return std::move(best_);
  }

 private:
  using Pair = std::pair<std::size_t, std::size_t>;

  void branch(std::vector<NodeKey> set) {
    if (set.size() < best_.size()) return;
    const auto missing = missing_link(set);
    if (!missing) {
      if (set.size() > best_.size() || set < best_) best_ = std::move(set);
      return;
    }
    const bool is_hopeless = ++steps_ > steps_max && !best_.empty();
    if (is_hopeless) return;
    auto without_second = set;
    without_second.erase(without_second.begin() + static_cast<std::ptrdiff_t>(missing->second));
    branch(std::move(without_second));
    set.erase(set.begin() + static_cast<std::ptrdiff_t>(missing->first));
    branch(std::move(set));
  }

  /// The pair without a link, of the member that lacks most of them: removing it settles most.
  [[nodiscard]] std::optional<Pair> missing_link(const std::vector<NodeKey>& set) const {
    std::size_t worst = 0;
    std::size_t most = 0;
    std::size_t partner = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
      std::size_t count = 0;
      std::size_t last = 0;
      for (std::size_t j = 0; j < set.size(); ++j) {
        if (i == j || are_linked_(set[i], set[j])) continue;
        ++count;
        last = j;
      }
      if (count < most || count == 0) continue;
      most = count;
      worst = i;
      partner = last;
    }
    if (most == 0) return std::nullopt;
    // The second is the one left out first.
    return Pair{partner, worst};
  }

  const NodeKey& self_;
  const AreLinked& are_linked_;
  std::vector<NodeKey> best_;
  unsigned steps_{0};
};

}  // namespace

std::vector<NodeKey> best_clique(
    const NodeKey& self, const std::vector<NodeKey>& candidates, const AreLinked& are_linked) {
  return Search{self, are_linked}.run(candidates);
}

}  // namespace ringcast
