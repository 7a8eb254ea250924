// SPDX-License-Identifier: Apache-2.0
//
// Effects: everything a node wants done after one input, as data. The driver carries them
// out in order (order of transmits is order on the wire) and then, once the transmits are
// out, calls Node::deliver for what was ordered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {

/// A datagram for every node of a peer set. Its header and tag are filled in by
/// Node::seal, at the last moment before sending.
struct Transmit {
  std::uint32_t peers{0};  ///< index into Effects::peer_sets
  bool to_many{false};     ///< may go out as one multicast, when the transport has it
  BufferRef packet;
};

/// Bytes for a client's socket. The driver reports progress by Node::on_client_written.
struct ClientWrite {
  SessionId session;
  BufferChain frames;
};

/// The node has forgotten the session. The driver writes what is queued as far as the
/// socket takes it at once, and closes.
struct ClientClose {
  SessionId session;
  std::string reason;
};

/// What must survive a restart: ring numbers up to this one may have been used. [MBR-3]
struct StoredState {
  std::uint64_t ring_seq_reserved{0};
};

struct Effects {
  std::vector<std::vector<NodeId>> peer_sets;  ///< never contains the node itself
  std::vector<Transmit> transmits;
  std::vector<ClientWrite> client_writes;
  std::vector<ClientClose> client_closes;
  /// Store durably, then call on_persisted with it. No other comes before that.
  std::optional<StoredState> persist;

  void clear() {
    peer_sets.clear();
    transmits.clear();
    client_writes.clear();
    client_closes.clear();
    persist.reset();
  }
};

}  // namespace ringcast
