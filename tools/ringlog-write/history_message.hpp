// SPDX-License-Identifier: Apache-2.0
//
// HistoryRequest and HistoryReply: how a part of a writer's file is fetched. Both go to private
// groups: the request to a writer's, the replies to the asker's. A request names places of a
// file; the reply says up to which of them the writer's file is the same, and when that is the
// last of them, what stands behind it, in as many replies as it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ringcast/message.hpp"
#include "ringcast/result.hpp"

#include "tools/ringlog-write/file_state.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

inline constexpr std::int32_t history_request_type = 0x726C0011;
inline constexpr std::int32_t history_reply_type = 0x726C0012;

/// Places of a file by chain, ascending; the beginning of the file is meant, too, as far as it
/// is kept.
using Points = std::vector<FilePoint>;
/// The write that holds it: a line by its number from 1, a time, or what follows a position.
struct FromLine {
  std::uint64_t number{1};
  bool operator==(const FromLine&) const = default;
};
struct FromTime {
  std::int64_t time_ms{0};  ///< since 1970
  bool operator==(const FromTime&) const = default;
};
struct FromPosition {
  Position position;
  bool operator==(const FromPosition&) const = default;
};
/// Where the part that is kept begins. The table that is asked for is then that of what stood in
/// front of it.
struct FromFront {
  bool operator==(const FromFront&) const = default;
};

using HistoryPlace = std::variant<Points, FromLine, FromTime, FromPosition, FromFront>;

struct HistoryRequest {
  std::string group;    ///< whose lines
  std::uint64_t id{0};  ///< the asker's own, in all replies
  HistoryPlace from;
  std::uint64_t bytes_max{0};  ///< of the file; 0: only the place is asked for
  std::uint64_t until{0};      ///< nothing behind this length; 0: all there is
  bool wants_table{false};     ///< a statement of the writer's table comes first

  bool operator==(const HistoryRequest&) const = default;
};

struct HistoryReply {
  std::uint64_t id{0};
  bool is_served{false};             ///< false: this writer cannot answer now
  bool is_live{false};               ///< it is in step with the others
  bool is_last{true};                ///< of the replies to this request
  FilePoint agreed;                  ///< the place found; what follows stands behind it
  FilePoint end;                     ///< of the writer's file
  FilePoint begins;                  ///< the part of it that is kept
  std::optional<Position> position;  ///< of the last record in it
  std::vector<FileEntry> entries;
  std::string data;

  bool operator==(const HistoryReply&) const = default;
};

std::vector<std::byte> encode(const HistoryRequest& request);
std::vector<std::byte> encode(const HistoryReply& reply);
/// Errors: malformed, unsupported_version. Of a reply it is known that entries follow one
/// another from `agreed` on and are as long as the data; not yet that the data fits them.
Result<HistoryRequest> decode_history_request(std::span<const std::byte> payload);
Result<HistoryReply> decode_history_reply(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
