// SPDX-License-Identifier: Apache-2.0
//
// Marker lines: what a file says about lines it does not hold. They stand among the data
// lines, begin with "#ringlog-" and a word, and go on as one JSON object. Their text follows
// from what was delivered alone, so that writers with the same history write the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/ringlog/record.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

/// "#ringlog-gap {...}": this file misses these lines; another writer has them.
std::string gap_marker(const Table& missing);
/// "#ringlog-dropped {...}" or "#ringlog-too-long {...}": lines no writer ever got.
/// REQUIRES: the body is Dropped or TooLong.
std::string loss_marker(const Record& record);
/// "#ringlog-pending {...}": the head of a record in a pending file; its lines follow.
std::string pending_head(const Record& record, const std::string& position, const std::string& why);
/// The lines that follow that head; 0 when the line is none.
std::uint64_t pending_count(std::string_view line);

}  // namespace ringcast::ringlog
