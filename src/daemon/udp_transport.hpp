// SPDX-License-Identifier: Apache-2.0
//
// UdpTransport: the sockets between daemons. One UDP socket at our configured address sends
// and receives everything; with multicast a second one, joined to the group, only receives.
// Many datagrams travel per system call: recvmmsg with receive offload (GRO), sendmmsg with
// segmentation offload (GSO), each switched off by itself where the kernel lacks it.
//
// It knows addresses and bytes, nothing of what is in a packet. UDP loses packets, so does
// this: a send that the kernel refuses is counted and forgotten, never fatal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/address.hpp"
#include "daemon/config.hpp"
#include "daemon/udp_batches.hpp"
#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/effects.hpp"

namespace ringcast {

struct UdpPeer {
  NodeId id;
  SocketAddress address;
};

struct UdpOptions {
  SocketAddress local;
  std::vector<UdpPeer> peers;  ///< without ourselves
  std::optional<SocketAddress> multicast;
  bool multicast_optional{false};   ///< when it cannot be had, unicast does
  std::string multicast_interface;  ///< empty: the one that holds `local`
  unsigned multicast_ttl{1};
  std::uint64_t socket_buffer_bytes{0};
};

class UdpTransport {
 public:
  using Count = std::function<void(std::string_view counter, std::uint64_t more)>;

  explicit UdpTransport(Count count);
  ~UdpTransport();
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;
  UdpTransport(UdpTransport&&) = delete;
  UdpTransport& operator=(UdpTransport&&) = delete;

  /// Nothing on success.
  std::optional<SetupFailure> open(const UdpOptions& options);
  /// After a reload: other daemons may have come or gone.
  void set_peers(std::vector<UdpPeer> peers);
  void close();

  /// What the kernel really gave, in its own accounting.
  [[nodiscard]] std::uint32_t receive_buffer_bytes() const { return receive_buffer_bytes_; }
  /// Largest UDP payload that travels unfragmented to every peer.
  [[nodiscard]] std::uint32_t datagram_bytes_max() const;

  /// It was asked for and could be had.
  [[nodiscard]] bool uses_multicast() const { return options_.multicast.has_value(); }

  /// One or two descriptors to wait on; they belong to the transport.
  [[nodiscard]] std::vector<int> sockets() const;

  /// Appends what has arrived at socket `index`, at most one batch. False: nothing is left.
  bool receive(std::size_t index, std::vector<BufferRef>& datagrams);

  /// Sends sealed packets, in order. Never waits long, never fails.
  void send(std::span<const std::vector<NodeId>> peer_sets, std::span<const Transmit> transmits);

 private:
  static constexpr std::size_t receive_batch = 32;
  static constexpr std::size_t slot_bytes = BufferRef::roomy_bytes;  // no datagram is longer

  struct Slots;

  std::optional<SetupFailure> open_main(const UdpOptions& options);
  std::optional<SetupFailure> open_group(const UdpOptions& options);
  void enlarge_buffers(int descriptor, std::uint64_t bytes);
  void take_slot(std::size_t slot, std::vector<BufferRef>& datagrams);
  std::vector<std::uint32_t> resolve(const std::vector<NodeId>& peers);
  void send_outgoing(std::span<const PacketCopy> outgoing, std::span<const Transmit> transmits);
  std::size_t send_planned(
      std::span<const PacketCopy> outgoing,
      std::span<const SendBatch> batches,
      std::span<const Transmit> transmits);
  enum class Refusal : std::uint8_t { again, skip, plain };
  Refusal judge(int error, const SendBatch& batch, int& patience);

  Count count_;
  int main_{-1};
  int group_{-1};
  UdpOptions options_;
  bool segmentation_{false};
  std::uint32_t receive_buffer_bytes_{0};
  std::uint32_t interface_mtu_{0};
  std::vector<SocketAddress> destinations_;  ///< peers, then the multicast group
  std::unordered_map<NodeId, std::uint32_t> destination_of_;
  std::unordered_set<SocketAddress> sources_;
  std::unique_ptr<Slots> slots_;
};

}  // namespace ringcast
