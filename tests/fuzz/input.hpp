// SPDX-License-Identifier: Apache-2.0
//
// up_to(): the next bytes of an input, as many as wanted and there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "protocol/base/bytes.hpp"

namespace ringcast::fuzz {

inline std::span<const std::byte> up_to(ByteReader& reader, std::size_t wanted) {
  return reader.bytes(std::min(wanted, reader.remaining()));
}

}  // namespace ringcast::fuzz
