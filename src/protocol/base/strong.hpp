// SPDX-License-Identifier: Apache-2.0
//
// Strong<Tag, Rep>: a number that means one thing. Compared and hashed, never added:
// arithmetic is a named function of the type that needs it.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace ringcast {

template <class Tag, class Rep>
struct Strong {
  Rep value{};

  auto operator<=>(const Strong&) const = default;
};

}  // namespace ringcast

template <class Tag, class Rep>
struct std::hash<ringcast::Strong<Tag, Rep>> {
  std::size_t operator()(const ringcast::Strong<Tag, Rep>& strong) const noexcept {
    return std::hash<Rep>{}(strong.value);
  }
};
