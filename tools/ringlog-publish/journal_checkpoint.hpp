// SPDX-License-Identifier: Apache-2.0
//
// JournalCheckpoint: how far the journal is sent, as one small JSON file that is replaced
// atomically: the cursor of the last entry all of which has settled, and the number of the line
// after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ringcast/result.hpp"

#include "tools/ringlog/producer.hpp"

namespace ringcast::ringlog {

struct JournalCheckpoint {
  Producer producer;
  std::string cursor;      ///< empty: before the first entry
  std::uint64_t seq{1};    ///< of the first line behind the cursor
  std::uint64_t rules{0};  ///< by which entries and lines are chosen and numbered

  bool operator==(const JournalCheckpoint&) const = default;
};

/// Errors: io; corrupt, with what to do. Nothing: there is no such file.
Result<std::optional<JournalCheckpoint>> load_journal_checkpoint(const std::string& path);
Result<void> save_journal_checkpoint(const std::string& path, const JournalCheckpoint& checkpoint);

}  // namespace ringcast::ringlog
