// SPDX-License-Identifier: Apache-2.0
//
// WriterFigures: how a writer stands and what broke its stream so far, for whoever asks while it
// runs.
#pragma once

#include <cstdint>
#include <mutex>

#include "tools/common/json.hpp"
#include "tools/ringlog-write/reconciler.hpp"

namespace ringcast::ringlog {

struct WriterFigures {
  bool is_connected{false};  ///< to a daemon
  bool is_in_step{false};    ///< with the other writers, and writing
  std::uint64_t lines_total{0};
  std::uint64_t bytes{0};            ///< of the file, with what stood in front
  std::uint64_t begins{0};           ///< offset of the part of it that is kept
  std::uint64_t lines_released{0};   ///< in front of that
  std::uint64_t unwritten_bytes{0};  ///< received, and not yet taken by the disk
  std::uint64_t sessions{0};
  std::uint64_t pending_files{0};
  ReconcilerCounters counters;
};

/// Adds one field for each counter.
void put_counters(tools::Json& json, const ReconcilerCounters& counters);
tools::Json to_json(const WriterFigures& figures);

/// The latest figures. Any thread may call anything.
class FiguresBoard {
 public:
  void set(const WriterFigures& figures) {
    const std::lock_guard lock(mutex_);
    figures_ = figures;
  }
  [[nodiscard]] WriterFigures get() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

 private:
  mutable std::mutex mutex_;
  WriterFigures figures_;
};

}  // namespace ringcast::ringlog
