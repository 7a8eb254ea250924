// SPDX-License-Identifier: Apache-2.0
//
// XXH3 of each line, seeded with the chain so far.
#include "tools/ringlog/chain.hpp"

#include <xxhash.h>

namespace ringcast::ringlog {

std::uint64_t chain_line(std::uint64_t chain, std::string_view line) {
  return XXH3_64bits_withSeed(line.data(), line.size(), chain);
}

std::uint64_t chain_text(std::uint64_t chain, std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    chain = chain_line(chain, text.substr(0, end));
    if (end == std::string_view::npos) return chain;
    text.remove_prefix(end + 1);
  }
  return chain;
}

}  // namespace ringcast::ringlog
