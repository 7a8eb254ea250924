// SPDX-License-Identifier: Apache-2.0
//
// Sink: one place where the lines of a journal go. It keeps its own position with what it
// holds, in one step if it can, and so decides what to be given. A sink belongs to one thread;
// it may block, since every sink has a thread of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/sinks/journal_reader.hpp"

namespace ringcast::ringlog {

/// How far a sink is.
struct SinkPosition {
  std::string journal;  ///< its id
  std::uint64_t offset{0};

  bool operator==(const SinkPosition&) const = default;
};

/// A line as its sink's rules left it.
struct SinkLine {
  std::string_view text;                ///< valid as long as its batch
  std::string_view vhost;               ///< empty when lines are not split
  const JournalLine* journal{nullptr};  ///< where it came from
};

/// Lines that stand between two offsets of the journal; some may have been left out.
struct SinkBatch {
  std::string journal;
  std::uint64_t begin{0};
  std::uint64_t end{0};
  std::vector<SinkLine> lines;
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Makes ready, and undoes what a crash or an error left half done. Returns the position
  /// behind the last line it holds of this journal, or else of another one, or nothing when it
  /// never had one. To be called again after an error.
  virtual Result<std::optional<SinkPosition>> open(const std::string& journal) = 0;
  /// Takes all lines and the position behind them. After an error, open() says how far it came.
  virtual Result<void> write(const SinkBatch& batch) = 0;
  /// How far it came before an error, where that is known without open().
  [[nodiscard]] virtual std::optional<SinkPosition> reached() const { return std::nullopt; }
  /// Closes what it holds open, so that another program may rename it away.
  virtual Result<void> reopen() { return {}; }
  /// Makes a call that blocks return soon, with an error; for good. From another thread.
  virtual void interrupt() {}
};

}  // namespace ringcast::ringlog
