// SPDX-License-Identifier: Apache-2.0
//
// HeapMeter: how many bytes the heap grew at most since it was made, so that a target can hold
// memory against the size of what came. heap.cpp counts in every operator new and delete.
#pragma once

#include <cstddef>
#include <string_view>

namespace ringcast::fuzz {

class HeapMeter {
 public:
  HeapMeter();
  [[nodiscard]] std::size_t peak() const;
  /// Aborts when more was taken.
  void check_peak(std::size_t bytes_max, std::string_view whose) const;

 private:
  std::size_t before_;
};

}  // namespace ringcast::fuzz
