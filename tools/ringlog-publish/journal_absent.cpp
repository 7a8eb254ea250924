// SPDX-License-Identifier: Apache-2.0
//
// In the place of journal_source.cpp where libsystemd is not there.
#include "tools/ringlog-publish/journal_source.hpp"

namespace ringcast::ringlog {

Result<std::unique_ptr<Source>> open_journal(
    const SystemJournalOptions& /*options*/, Filter& /*filter*/, Intake& /*intake*/) {
  return Error{
      Errc::invalid_argument,
      "--journal: this ringlog-publish was built without libsystemd; build it with "
      "-DRINGCAST_JOURNAL=ON, or let the journal forward to --syslog"};
}

}  // namespace ringcast::ringlog
