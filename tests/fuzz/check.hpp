// SPDX-License-Identifier: Apache-2.0
//
// check(): what a target holds true, beyond that nothing crashes. A failure says which, and
// aborts, so that libFuzzer keeps the input.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "ringcast/error.hpp"

namespace ringcast::fuzz {

inline void check(bool holds, std::string_view what) {
  if (holds) return;
  (void)std::fprintf(stderr, "fuzz: not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline bool same(std::span<const std::byte> one, std::span<const std::byte> other) {
  if (one.size() != other.size()) return false;
  return one.empty() || std::memcmp(one.data(), other.data(), one.size()) == 0;
}

/// Whoever refuses says why.
inline void check_refusal(const Error& error) {
  check(!error.message.empty(), "a refusal names the rule broken");
}

}  // namespace ringcast::fuzz
