// SPDX-License-Identifier: Apache-2.0
//
// How commands print what can be said both ways - events, statuses, groups: as text or, with
// --json, as one JSON object on one line.
#pragma once

#include "tools/common/json_events.hpp"
#include "tools/common/output.hpp"
#include "tools/common/text_events.hpp"

namespace ringcast::tools {

template <class T>
void print(Output& output, bool json, const T& one) {
  if (json) {
    append_json(output.buffer(), one);
  } else {
    append_text(output.buffer(), one);
  }
  output.settle();
}

}  // namespace ringcast::tools
