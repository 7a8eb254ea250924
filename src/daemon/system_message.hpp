// SPDX-License-Identifier: Apache-2.0
//
// What an errno says in words, by a function that threads may share.
#pragma once

#include <string>
#include <system_error>

namespace ringcast {

inline std::string system_message(int error) { return std::generic_category().message(error); }

}  // namespace ringcast
