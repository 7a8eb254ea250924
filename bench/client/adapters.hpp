// SPDX-License-Identifier: Apache-2.0
//
// The systems this client was built with: an adapter whose library was not found at configure
// time is not among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/adapter.hpp"

namespace ringcast::bench {

Opened open_ringcast(const Setup& setup, Sink& sink);
Opened open_corosync(const Setup& setup, Sink& sink);
Opened open_zeromq(const Setup& setup, Sink& sink);
Opened open_udp(const Setup& setup, Sink& sink);

struct System {
  std::string_view name;
  Opened (*open)(const Setup& setup, Sink& sink);
};

const std::vector<System>& systems();

/// Errors: invalid_argument for a system that is not there, and what its library says.
Opened open_adapter(std::string_view system, const Setup& setup, Sink& sink);

}  // namespace ringcast::bench
