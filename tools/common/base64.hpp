// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are not text, as text.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ringcast::tools {

/// RFC 4648 base64 with padding. At most 1 GiB: far above what a message can hold.
std::string base64(std::span<const std::byte> bytes);

}  // namespace ringcast::tools
