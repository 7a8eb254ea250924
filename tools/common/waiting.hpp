// SPDX-License-Identifier: Apache-2.0
//
// Waiting for whatever comes first: the daemon, stdin, a signal, the end of stdout's
// reader, or a deadline. One poll(2); it reads and writes nothing itself.
#pragma once

#include <optional>

#include "ringcast/client.hpp"

namespace ringcast::tools {

struct WaitFor {
  std::optional<Client::Deadline> deadline{};
  int input_fd{-1};   ///< woken when readable or at its end
  int output_fd{-1};  ///< woken when its reader is gone
  int stop_fd{-1};    ///< woken when readable
};

struct Woken {
  bool input{false};
  bool output_gone{false};
  bool stop{false};
  bool deadline{false};  ///< the deadline of WaitFor has passed
};

/// Returns at once when `client` has events waiting or needs attention now. After it, call
/// try_receive() until it returns nothing, whatever woke us.
Woken wait(const Client& client, const WaitFor& what);

}  // namespace ringcast::tools
