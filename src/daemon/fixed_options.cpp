// SPDX-License-Identifier: Apache-2.0
#include "daemon/fixed_options.hpp"

#include <algorithm>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

template <class Daemons>
auto& daemon_named(Daemons& daemons, std::string_view name) {
  const auto found = std::find_if(
      daemons.begin(), daemons.end(), [&](const auto& daemon) { return daemon.name == name; });
  RC_ASSERT(found != daemons.end());
  return *found;
}

class Keeper {
 public:
  template <class Value>
  void keep(Value& fresh, const Value& running, std::string_view what) {
    if (fresh == running) return;
    fresh = running;
    const bool is_named = !changed_.empty() && changed_.back() == what;
    if (!is_named) changed_.emplace_back(what);
  }

  std::vector<std::string> changed() && { return std::move(changed_); }

 private:
  std::vector<std::string> changed_;
};

}  // namespace

std::vector<std::string> keep_fixed(
    DaemonConfig& fresh, const DaemonConfig& running, std::string_view self) {
  Keeper keeper;
  auto& ours = daemon_named(fresh.daemons, self);
  const auto& was = daemon_named(running.daemons, self);
  keeper.keep(ours.address, was.address, "our own address");
  ours.address_text = was.address_text;
  keeper.keep(fresh.cluster, running.cluster, "[cluster] name");

  constexpr std::string_view transport = "the transport of [ring]";
  if (fresh.uses_multicast() != running.uses_multicast()) {
    keeper.keep(fresh.transport, running.transport, transport);
  }
  fresh.transport = running.transport;
  keeper.keep(fresh.multicast, running.multicast, transport);
  keeper.keep(fresh.multicast_interface, running.multicast_interface, transport);
  keeper.keep(fresh.multicast_ttl, running.multicast_ttl, transport);
  keeper.keep(fresh.socket_buffer_bytes, running.socket_buffer_bytes, "[ring] socket_buffer_bytes");

  constexpr std::string_view clients = "where [clients] connect";
  keeper.keep(fresh.socket, running.socket, clients);
  keeper.keep(fresh.socket_mode, running.socket_mode, clients);
  keeper.keep(fresh.tcp, running.tcp, clients);
  keeper.keep(fresh.shared_memory, running.shared_memory, "[clients] shared_memory");
  keeper.keep(fresh.state_directory, running.state_directory, "[state] directory");
  return std::move(keeper).changed();
}

}  // namespace ringcast
