// SPDX-License-Identifier: Apache-2.0
//
// One target under libFuzzer: RINGCAST_FUZZ_TARGET is its function. The names are libFuzzer's.
#include <cstdint>

#include "fuzz/targets.hpp"

// NOLINTBEGIN(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringcast::fuzz::RINGCAST_FUZZ_TARGET(std::as_bytes(std::span{data, size}));
  return 0;
}

#ifdef RINGCAST_FUZZ_NODE_SCRIPTS
#include "fuzz/node_mutator.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

extern "C" std::size_t LLVMFuzzerCustomMutator(
    std::uint8_t* data, std::size_t size, std::size_t max, unsigned seed) {
  const auto room = std::as_writable_bytes(std::span{data, max});
  return ringcast::fuzz::mutate_node(room, size, seed, LLVMFuzzerMutate);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(
    const std::uint8_t* one,
    std::size_t one_size,
    const std::uint8_t* other,
    std::size_t other_size,
    std::uint8_t* out,
    std::size_t max,
    unsigned seed) {
  return ringcast::fuzz::cross_nodes(
      std::as_bytes(std::span{one, one_size}),
      std::as_bytes(std::span{other, other_size}),
      std::as_writable_bytes(std::span{out, max}),
      seed);
}
#endif
// NOLINTEND(readability-identifier-naming)
