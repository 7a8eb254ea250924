// SPDX-License-Identifier: Apache-2.0
//
// Strangers: datagrams on our port that no daemon of ours has sent, or not now. Each kind must
// be dropped, or, being a copy of what was sent once, change nothing.
//   garbage    random bytes
//   cluster    a real packet, as a daemon of another cluster would have sent it
//   version    a real packet of another wire version
//   unknown    a real packet from a daemon that our configuration does not name
//   malformed  our header and a right tag around a body that no daemon builds
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "protocol/base/buffer.hpp"

namespace ringcast::sim {

/// Made from one of `real`, chosen and changed by `seed`. Empty: there was nothing to make it
/// from. Nothing: no such kind.
std::optional<BufferRef> make_stranger(
    std::string_view kind, std::uint64_t seed, const std::deque<BufferRef>& real);

/// The packet of that kind that is `back` places before the newest, or the oldest; any: of every
/// kind. Empty: none.
BufferRef find_remembered(
    std::string_view kind, std::size_t back, const std::deque<BufferRef>& packets);

}  // namespace ringcast::sim
