// SPDX-License-Identifier: Apache-2.0
//
// The configuration of spreadlogd 2.0.1 as one of ringlog-write. docs/logging.md says what
// becomes of what; where that is not what spreadlogd did, a note says so.
#pragma once

#include <string>
#include <string_view>

#include "tools/ringlog-write/config/writer_config.hpp"

namespace ringcast::ringlog {

/// `state` is the directory of journals; empty: the default one.
ReadWriterConfig read_spreadlogd(std::string_view text, const std::string& state);

}  // namespace ringcast::ringlog
