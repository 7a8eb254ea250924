// SPDX-License-Identifier: Apache-2.0
//
// How often this program has asked for memory: its operator new counts. One thread.
#pragma once

#include <cstdint>

namespace ringcast::bench {

std::uint64_t allocations();

/// What is asked for in its scope is the harness's own and does not count.
class Uncounted {
 public:
  Uncounted();
  ~Uncounted();
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;
  Uncounted(Uncounted&&) = delete;
  Uncounted& operator=(Uncounted&&) = delete;

 private:
  std::uint64_t before_;
};

}  // namespace ringcast::bench
