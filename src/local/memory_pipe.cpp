// SPDX-License-Identifier: Apache-2.0
#include "local/memory_pipe.hpp"

#include <algorithm>
#include <cstring>

namespace ringcast {
namespace {

/// Says that we sleep, and looks whether there is a reason not to. A flag that the other side took
/// down meanwhile means a ring too many, which is harmless.
template <class Awake>
bool falls_asleep(std::atomic<std::uint32_t>& flag, Awake awake) {
  flag.store(1);
  if (!awake()) return true;
  flag.store(0, std::memory_order_relaxed);
  return false;
}

/// Once for each time it fell asleep.
bool wakes(std::atomic<std::uint32_t>& flag) { return flag.load() != 0 && flag.exchange(0) != 0; }

}  // namespace

/// From what was read as far as we know up to what was written lies all that can be read.
std::size_t PipeWriter::room() {
  const auto read = state_->read.load();
  broken_ = broken_ || read - read_ > written_ - read_;
  if (!broken_) read_ = read;
  return room_known();
}

std::size_t PipeWriter::add(std::span<const std::byte> bytes) {
  auto free = room_known();
  if (free < bytes.size()) free = room();
  const auto count = std::min(free, bytes.size());
  if (count > 0) std::memcpy(bytes_.data() + written_ % bytes_.size(), bytes.data(), count);
  written_ += count;
  return count;
}

bool PipeWriter::publish() {
  state_->written.store(written_);
  return wakes(state_->reader_sleeps);
}

bool PipeWriter::sleep() {
  return falls_asleep(
      state_->writer_sleeps, [this] { return room() >= bytes_.size() / 2 || broken_; });
}

std::span<const std::byte> PipeReader::readable() {
  const auto unread = state_->written.load() - read_;
  broken_ = broken_ || unread > bytes_.size();
  if (broken_) return {};
  return {bytes_.data() + read_ % bytes_.size(), static_cast<std::size_t>(unread)};
}

bool PipeReader::take(std::size_t count) {
  const auto left =
      static_cast<std::size_t>(state_->written.load(std::memory_order_relaxed) - read_) - count;
  read_ += count;
  state_->read.store(read_);
  return left <= bytes_.size() / 2 && wakes(state_->writer_sleeps);
}

bool PipeReader::sleep(std::size_t seen) {
  return falls_asleep(
      state_->reader_sleeps, [this, seen] { return readable().size() > seen || broken_; });
}

}  // namespace ringcast
