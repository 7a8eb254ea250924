// SPDX-License-Identifier: Apache-2.0
#include "client/adapters.hpp"

#include <algorithm>

namespace ringcast::bench {

Result<void> Adapter::join(const std::string& /*group*/) {
  return Error{Errc::invalid_argument, "this system has no groups to join"};
}

Result<void> Adapter::leave(const std::string& group) { return join(group); }

const std::vector<System>& systems() {
  static const std::vector<System> all{
      {"ringcast", open_ringcast},
#ifdef RINGCAST_BENCH_COROSYNC
      {"corosync", open_corosync},
#endif
#ifdef RINGCAST_BENCH_ZEROMQ
      {"zeromq", open_zeromq},
#endif
      {"udp", open_udp},
  };
  return all;
}

Opened open_adapter(std::string_view system, const Setup& setup, Sink& sink) {
  const auto found = std::find_if(systems().begin(), systems().end(), [&](const System& candidate) {
    return candidate.name == system;
  });
  if (found == systems().end()) {
    return Error{
        Errc::invalid_argument,
        "this client was built without " + std::string(system) + " (see --systems)"};
  }
  return found->open(setup, sink);
}

}  // namespace ringcast::bench
