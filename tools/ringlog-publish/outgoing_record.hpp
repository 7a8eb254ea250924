// SPDX-License-Identifier: Apache-2.0
//
// OutgoingRecord: a record as the bytes that are sent, with what its publisher must know of it
// until it has settled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ringcast::ringlog {

/// Where records come from and settle to: stdin and syslog, one followed file, the spool.
struct Origin {
  std::uint32_t source{0};
  std::uint64_t mark{0};  ///< the source's own: how far it is once this record settles
};

struct OutgoingRecord {
  std::vector<std::byte> payload;
  std::uint64_t lines{0};  ///< 0 for a note in the place of lines
  Origin origin{};
};

using RecordSink = std::function<void(OutgoingRecord)>;

}  // namespace ringcast::ringlog
