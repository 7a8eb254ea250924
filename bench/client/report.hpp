// SPDX-License-Identifier: Apache-2.0
//
// What a participant measured and checked, as one line of JSON on stdout.
#pragma once

#include "client/participant.hpp"

namespace ringcast::bench {

void report(const Outcome& outcome, const Verifier& verifier);

}  // namespace ringcast::bench
