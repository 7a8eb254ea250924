// SPDX-License-Identifier: Apache-2.0
//
// `ringlog-write verify FILE...`: are the files of several writers the same?
#pragma once

namespace ringcast::ringlog {

/// `argv[0]` is "verify". Returns the program's exit code: 0 the same or beginnings of one
/// another, 1 different, damaged or unreadable, 2 wrong usage.
int verify_command(int argc, char** argv);

}  // namespace ringcast::ringlog
