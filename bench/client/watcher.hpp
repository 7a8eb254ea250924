// SPDX-License-Identifier: Apache-2.0
//
// Watcher: a client that only tells how many members its group has, and when it was told:
// {"event":"members","count":3,"at":SECONDS}, a reading of CLOCK_MONOTONIC. With `deaf` it joins
// and never reads: {"event":"deaf"}.
#pragma once

#include "client/adapter.hpp"

namespace ringcast::bench {

class Watcher final : public Sink {
 public:
  void on_message(std::span<const std::byte> /*message*/) override {}
  void on_members(std::size_t count) override;

  /// Until `commands` ends, or the session does.
  static Result<void> watch(Adapter& adapter, int commands);
  /// Until `commands` ends.
  static void be_deaf(int commands);
};

}  // namespace ringcast::bench
