// SPDX-License-Identifier: Apache-2.0
#include "counts/allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::uint64_t& counter() {
  static std::uint64_t count{0};
  return count;
}

}  // namespace

// The array forms call these. Replacing them is what [new.delete.single] is for.
void* operator new(std::size_t size) {
  ++counter();
  void* const memory = std::malloc(size == 0 ? 1 : size);  // NOLINT(cppcoreguidelines-no-malloc)
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

namespace ringcast::bench {

std::uint64_t allocations() { return counter(); }

Uncounted::Uncounted() : before_(counter()) {}
Uncounted::~Uncounted() { counter() = before_; }

}  // namespace ringcast::bench
