// SPDX-License-Identifier: Apache-2.0
//
// How libFuzzer changes the inputs of `node`: whole steps are copied, moved, dropped, invented
// or taken from another script, fields of packets are changed as the fields they are, and only
// sometimes any bytes of a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringcast::fuzz {

/// libFuzzer's own mutator: changes bytes in place, returns the new size, at most `size_max`.
using ByteMutator = std::size_t (*)(std::uint8_t* bytes, std::size_t size, std::size_t size_max);

/// The first `size` bytes of `room` are the input, its whole length is what a new one may have.
/// Returns the new size.
std::size_t mutate_node(
    std::span<std::byte> room, std::size_t size, std::uint64_t seed, ByteMutator mutate_bytes);
/// A script of steps of both. Returns its size.
std::size_t cross_nodes(
    std::span<const std::byte> one,
    std::span<const std::byte> other,
    std::span<std::byte> room,
    std::uint64_t seed);

}  // namespace ringcast::fuzz
