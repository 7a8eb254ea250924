// SPDX-License-Identifier: Apache-2.0
//
// Progress: a writer tells a publisher which of its records it has written, as a message
// of type progress_type to the publisher's private group. The publisher paces itself by it, and
// learns whether lines that came without a majority lie in a pending file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

namespace ringcast::ringlog {

inline constexpr std::int32_t progress_type = 0x726C0003;

/// A writer speaks up at a publisher's first record and then once per so many bytes of it.
inline constexpr std::size_t progress_bytes = std::size_t{512} << 10U;

/// Every record of the publisher from `first` to `last`, both written and of one
/// configuration. What came before `first` the writer may never have received.
struct Progress {
  Position first;
  Position last;

  bool operator==(const Progress&) const = default;
};

/// Goes on with what was written next; a new configuration begins anew.
void extend(Progress& progress, const Progress& next);

/// REQUIRES: first and last are of one configuration.
std::vector<std::byte> encode(const Progress& progress);
/// Errors: malformed, unsupported_version.
Result<Progress> decode_progress(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
