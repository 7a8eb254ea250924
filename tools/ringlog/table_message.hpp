// SPDX-License-Identifier: Apache-2.0
//
// TableMessage: what writers tell one another, as a message of type table_type on the
// writers' group. A statement is the sender's file and table as of a point at which writers
// compare theirs (docs/logging.md, "How writers agree"); news are lines that someone was told of
// and nobody has. A table that is too long for one message travels in parts, in order: a
// statement counts when all are there, each part of news is news by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

inline constexpr std::int32_t table_type = 0x726C0002;

struct TableMessage {
  bool is_news{false};
  bool is_live{false};               ///< the sender is in step, its table as of the point
  std::string sync;                  ///< the point it answers; empty for news
  FilePoint end;                     ///< of the sender's file
  std::optional<Position> position;  ///< of the last record in it
  std::set<std::string> missed;    ///< "#name#daemon": out of the sender's reach, may have written
  std::set<std::string> formerly;  ///< the sender's own names in earlier sessions
  std::uint32_t part{1};           ///< of `parts`
  std::uint32_t parts{1};
  Table table;  ///< of this part
  Table gaps;   ///< named by gap markers; of this part

  bool operator==(const TableMessage&) const = default;
};

/// The group that the writers of `group` join besides it.
std::string writers_group(const std::string& group);

std::vector<std::byte> encode(const TableMessage& message);
/// The whole message in parts of at most `bytes_max`, or of one range each when that is less
/// than a part needs.
std::vector<std::vector<std::byte>> encode_in_parts(
    const TableMessage& message, std::size_t bytes_max);
/// Errors: malformed, unsupported_version.
Result<TableMessage> decode_table(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
