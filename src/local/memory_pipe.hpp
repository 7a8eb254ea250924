// SPDX-License-Identifier: Apache-2.0
//
// MemoryPipe: bytes in order from one process to another, through memory that both have mapped. One
// writer, one reader, no lock; either may be another program, which breaks rules.
//
// Both positions only grow; an offset is a position modulo the size. Whoever finds nothing to do
// says so in the memory, looks once more and sleeps; the other finds that when it has something,
// and rings: how, is its caller's business. All accesses on which this rests are sequentially
// consistent, so that of "I wrote, do you sleep?" and "I sleep, did you write?" one says yes.
//
// The bytes are mapped twice, one behind the other, so that none of them wraps around.
//
// Refuses to know what the bytes mean. Not thread-safe within a process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringcast {

inline constexpr std::size_t cache_line_bytes = 64;

/// What both sides have in the memory beside the bytes.
struct PipeState {
  alignas(cache_line_bytes) std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint32_t> reader_sleeps{0};
  alignas(cache_line_bytes) std::atomic<std::uint64_t> read{0};
  std::atomic<std::uint32_t> writer_sleeps{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

class PipeWriter {
 public:
  /// `bytes` is the first of two mappings of them.
  PipeWriter(PipeState& state, std::span<std::byte> bytes) : state_(&state), bytes_(bytes) {}

  /// Lays down as many of the bytes as there is room for, and says how many.
  std::size_t add(std::span<const std::byte> bytes);
  /// The reader has what was added from now on. True: it sleeps, ring.
  [[nodiscard]] bool publish();
  /// There is no room, and the reader rings when half of it is free. False: it is by now.
  [[nodiscard]] bool sleep();
  /// The reader says that it read what was never written. Nothing more is added.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  [[nodiscard]] std::size_t room_known() const {
    return broken_ ? 0 : bytes_.size() - static_cast<std::size_t>(written_ - read_);
  }
  [[nodiscard]] std::size_t room();

  PipeState* state_;
  std::span<std::byte> bytes_;
  std::uint64_t written_{0};
  std::uint64_t read_{0};  ///< as last seen
  bool broken_{false};
};

class PipeReader {
 public:
  PipeReader(PipeState& state, std::span<const std::byte> bytes) : state_(&state), bytes_(bytes) {}

  /// All that is there, in one piece. The writer of a foreign program may change it meanwhile.
  [[nodiscard]] std::span<const std::byte> readable();
  /// Gives the first `count` of them back. True: the writer sleeps and half of the room is free,
  /// ring. REQUIRES: so many were readable.
  [[nodiscard]] bool take(std::size_t count);
  /// There is no more to read than what was `seen` and not taken, and the writer rings when there
  /// is. False: there is by now.
  [[nodiscard]] bool sleep(std::size_t seen = 0);
  /// The writer says that it wrote more than there is room for. Nothing more is readable.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  PipeState* state_;
  std::span<const std::byte> bytes_;
  std::uint64_t read_{0};
  bool broken_{false};
};

}  // namespace ringcast
