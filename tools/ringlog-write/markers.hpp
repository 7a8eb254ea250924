// SPDX-License-Identifier: Apache-2.0
//
// Marker lines: what a file says about lines it does not hold. They stand among the data
// lines, begin with "#ringlog-" and a word, and go on as one JSON object. Their text follows
// from what was delivered alone, so that writers with the same history write the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/configuration.hpp"

#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

/// "#ringlog-gap {...}": this file misses these lines; another writer has them.
std::string gap_marker(const Table& missing);
/// A gap marker for who reads a file on from one place to another: what stood between is not
/// kept any more. `missing` are its names, as far as they are known; without the number of lines
/// in front of it, nothing is said of numbers.
std::string unkept_marker(
    const Table& missing,
    std::uint64_t from,
    std::optional<std::uint64_t> lines_in_front,
    const FilePoint& to);
/// "#ringlog-dropped {...}" or "#ringlog-too-long {...}": lines no writer ever got.
/// REQUIRES: the body is Dropped or TooLong.
std::string loss_marker(const Record& record);
/// The record of such a line; nothing when it is none.
std::optional<Record> parse_loss_marker(std::string_view line);
/// "#ringlog-merged {...}": the `lines` lines that follow, and markers of losses, come from the
/// pending files of that configuration.
std::string merged_marker(const ConfigurationId& configuration, std::uint64_t lines);
/// "#ringlog-pending {...}": the head of a record in a pending file; its lines follow.
/// `daemon` is the publisher's, or empty.
std::string pending_head(
    const Record& record,
    const std::string& position,
    const std::string& why,
    const std::string& daemon = {});

struct PendingHead {
  std::uint64_t lines{0};  ///< that follow
  Record record;           ///< without its lines
  std::string daemon;      ///< of its publisher, where that is known
};
/// What such a line says; nothing when it is none.
std::optional<PendingHead> parse_pending_head(std::string_view line);

/// WORD of "#ringlog-WORD ..."; empty when it is no marker.
std::string_view marker_word(std::string_view line);

}  // namespace ringcast::ringlog
