// SPDX-License-Identifier: Apache-2.0
//
// UdpSocket: all ways in which this kernel moves datagrams of one size in bulk: out by sendto,
// sendmmsg or segmentation offload (GSO), in by recv, recvmmsg or receive offload (GRO). It owns
// the descriptor and its buffers and knows nothing of what the datagrams mean.
#pragma once

#include <cstddef>
#include <functional>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast::bench {

enum class SendWay { sendto, sendmmsg, gso };
enum class ReceiveWay { recv, recvmmsg, gro };

std::optional<SendWay> parse_send_way(std::string_view text);
std::optional<ReceiveWay> parse_receive_way(std::string_view text);

using UdpAddress = sockaddr_in;
/// `text` is a numeric IPv4 address.
UdpAddress udp_address(const std::string& text, std::uint16_t port);

class UdpSocket {
 public:
  /// The most that one call of send() takes, so that GSO may carry it in one piece.
  static constexpr std::size_t datagrams_max = 64;
  static constexpr std::size_t datagram_bytes_max = 1472;
  static constexpr std::size_t burst_bytes_max = 65507;

  UdpSocket(SendWay send, ReceiveWay receive);
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  /// Binds to the port on all addresses. Errors: io.
  Result<void> open(std::uint16_t port);
  /// Receives from and sends to the group through the interface of that address. Errors: io.
  Result<void> join(const UdpAddress& group, const UdpAddress& interface);

  /// `datagrams` is a row of datagrams of `datagram_bytes` each; all go to each destination.
  Result<void> send(
      std::span<std::byte> datagrams,
      std::size_t datagram_bytes,
      std::span<UdpAddress> destinations);

  /// Calls `take` for what one system call brings; true: there may be more.
  Result<bool> receive(const std::function<void(std::span<const std::byte>)>& take);

  [[nodiscard]] int fd() const { return fd_; }

 private:
  Result<void> send_singly(
      std::span<const std::byte> datagrams,
      std::size_t datagram_bytes,
      std::span<const UdpAddress> destinations) const;
  Result<void> send_many(
      std::span<std::byte> datagrams,
      std::size_t datagram_bytes,
      std::span<UdpAddress> destinations);
  Result<void> send_segmented(
      std::span<std::byte> datagrams,
      std::size_t datagram_bytes,
      std::span<UdpAddress> destinations) const;
  void prepare_receive();

  SendWay send_way_;
  ReceiveWay receive_way_;
  int fd_{-1};
  std::vector<std::byte> buffer_;
  std::vector<std::byte> controls_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> out_parts_;
  std::vector<mmsghdr> out_messages_;
};

}  // namespace ringcast::bench
