// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace ringcast {

void assertion_failed(std::string_view condition, std::string_view file, int line) {
  (void)std::fprintf(
      stderr,
      "ringcast: assertion failed: %.*s (%.*s:%d); this is a bug, please report it\n",
      static_cast<int>(condition.size()),
      condition.data(),
      static_cast<int>(file.size()),
      file.data(),
      line);
  std::abort();
}

}  // namespace ringcast
