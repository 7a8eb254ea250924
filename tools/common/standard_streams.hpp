// SPDX-License-Identifier: Apache-2.0
//
// Standard streams that are there: what every program sees to before it opens anything.
#pragma once

namespace ringcast::tools {

/// A closed standard stream must not become the number of a socket, a pipe or a log file. What
/// takes its place fails when it is used, as the closed one would.
void fill_standard_streams();

}  // namespace ringcast::tools
