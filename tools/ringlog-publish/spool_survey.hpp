// SPDX-License-Identifier: Apache-2.0
//
// SpoolSurvey: what one file of a spool holds, good and bad. Damage does not end it: behind it
// the next place is sought where a whole record stands, told by its checksum.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

struct SpoolSurvey {
  std::uint64_t bytes{0};          ///< of the file
  std::uint64_t records{0};        ///< whole ones
  std::uint64_t lines{0};          ///< in them
  std::uint64_t damaged_bytes{0};  ///< belonging to no whole record, but for a torn end
  std::uint64_t torn_bytes{0};     ///< of a last record that reaches past the end of the file

  [[nodiscard]] bool is_whole() const { return damaged_bytes + torn_bytes == 0; }
};

/// Takes a whole record, as its bytes in the file and as it reads.
using SurveySink = std::function<void(std::string_view payload, const Record& record)>;

/// Where the first whole record begins, at `offset` or behind it, in an open file with so many
/// bytes. Errors: io.
Result<std::optional<std::uint64_t>> next_record(
    int fd, std::uint64_t offset, std::uint64_t size, const std::string& path);

/// Errors: io.
Result<SpoolSurvey> survey_segment(const std::string& path, const SurveySink& sink);

}  // namespace ringcast::ringlog
