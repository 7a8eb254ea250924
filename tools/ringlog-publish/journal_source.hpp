// SPDX-License-Identifier: Apache-2.0
//
// JournalSource: the systemd journal, from its oldest entry on or from where the checkpoint
// says. The text of each entry is a line (of each line of it, one); it has the number it had
// when it is read again. While there is no room it waits in the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/batch.hpp"
#include "tools/ringlog-publish/filter.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/source.hpp"

namespace ringcast::ringlog {

struct SystemJournalOptions {
  std::string directory;             ///< empty: this host's journal
  std::vector<std::string> matches;  ///< FIELD=VALUE
  std::string state_directory;
  std::string group;
  std::string name;  ///< the producer is called NAME:journal
  std::size_t line_bytes_max{std::size_t{64} << 10U};
  std::size_t batch_bytes{std::size_t{60} << 10U};
  LinesEncoder::Options encoding;
};

/// `intake` and `filter` outlive the source. Errors: io, corrupt; invalid_argument, when another
/// process has the state, a match is none, or this program was built without libsystemd.
Result<std::unique_ptr<Source>> open_journal(
    const SystemJournalOptions& options, Filter& filter, Intake& intake);

}  // namespace ringcast::ringlog
