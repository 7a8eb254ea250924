// SPDX-License-Identifier: Apache-2.0
#include "fuzz/heap.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

// Of the whole process: a replaced operator new has nowhere else to count. Targets have one
// thread.
std::size_t live = 0;
std::size_t high = 0;

void* take(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  live += ::malloc_usable_size(memory);
  high = std::max(high, live);
  return memory;
}

void give_back(void* memory) {
  if (memory == nullptr) return;
  live -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }

namespace ringcast::fuzz {

HeapMeter::HeapMeter() : before_(live) { high = live; }

std::size_t HeapMeter::peak() const { return high - before_; }

void HeapMeter::check_peak(std::size_t bytes_max, std::string_view whose) const {
  if (peak() <= bytes_max) return;
  (void)std::fprintf(
      stderr,
      "fuzz: %.*s took %zu bytes of memory, and %zu are its bound\n",
      static_cast<int>(whose.size()),
      whose.data(),
      peak(),
      bytes_max);
  std::abort();
}

}  // namespace ringcast::fuzz
