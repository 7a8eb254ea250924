// SPDX-License-Identifier: Apache-2.0
//
// RC_ASSERT: on in every build; says what we believed, and stops. For our own mistakes
// only: nothing that a network or a client sends may ever reach one.
#pragma once

#include <string_view>

namespace ringcast {

[[noreturn]] void assertion_failed(std::string_view condition, std::string_view file, int line);

}  // namespace ringcast

#define RC_ASSERT(condition)          \
  ((condition) ? static_cast<void>(0) \
               : ::ringcast::assertion_failed(#condition, __FILE__, __LINE__))
#define RC_UNREACHABLE() ::ringcast::assertion_failed("unreachable", __FILE__, __LINE__)
