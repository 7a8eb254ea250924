// SPDX-License-Identifier: Apache-2.0
#include "client/udp_socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace ringcast::bench {
namespace {

constexpr int buffer_bytes = 16 << 20;  // what ringcastd asks for
constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(int));
constexpr std::size_t datagrams_per_call = 64;
constexpr std::size_t bursts_per_call = 8;  // each up to 64 KiB

Error failure(const char* call) {
  return Error{Errc::io, std::string(call) + ": " + std::generic_category().message(errno)};
}

bool set_number(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

const sockaddr* native(const UdpAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// A full socket buffer makes a blocking send wait; the device's queue may refuse all the same.
bool is_passing(int error) { return error == ENOBUFS || error == EINTR || error == EAGAIN; }

bool send_one(int fd, std::span<const std::byte> datagram, const UdpAddress& to) {
  while (::sendto(fd, datagram.data(), datagram.size(), 0, native(to), sizeof(to)) < 0) {
    if (!is_passing(errno)) return false;
  }
  return true;
}

std::size_t segment_bytes(msghdr& message, std::size_t bytes) {
  for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int segment{0};
    std::memcpy(&segment, CMSG_DATA(control), sizeof(segment));
    return static_cast<std::size_t>(segment);
  }
  return bytes;
}

}  // namespace

std::optional<SendWay> parse_send_way(std::string_view text) {
  if (text == "sendto") return SendWay::sendto;
  if (text == "sendmmsg") return SendWay::sendmmsg;
  if (text == "gso") return SendWay::gso;
  return std::nullopt;
}

std::optional<ReceiveWay> parse_receive_way(std::string_view text) {
  if (text == "recv") return ReceiveWay::recv;
  if (text == "recvmmsg") return ReceiveWay::recvmmsg;
  if (text == "gro") return ReceiveWay::gro;
  return std::nullopt;
}

UdpAddress udp_address(const std::string& text, std::uint16_t port) {
  UdpAddress address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  return address;
}

UdpSocket::UdpSocket(SendWay send, ReceiveWay receive) : send_way_(send), receive_way_(receive) {
  prepare_receive();
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

void UdpSocket::prepare_receive() {
  const bool bursts = receive_way_ == ReceiveWay::gro;
  const auto count = bursts                                 ? bursts_per_call
                     : receive_way_ == ReceiveWay::recvmmsg ? datagrams_per_call
                                                            : 1;
  const auto bytes = bursts ? std::size_t{1} << 16U : std::size_t{2048};
  buffer_.resize(count * bytes);
  controls_.resize(count * control_bytes);
  parts_.resize(count);
  messages_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    parts_[i] = {&buffer_[i * bytes], bytes};
    messages_[i].msg_hdr.msg_iov = &parts_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

Result<void> UdpSocket::open(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return failure("socket");
  for (const auto& [forced, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (!set_number(fd_, SOL_SOCKET, forced, buffer_bytes)) {
      set_number(fd_, SOL_SOCKET, plain, buffer_bytes);
    }
  }
  if (receive_way_ == ReceiveWay::gro && !set_number(fd_, SOL_UDP, UDP_GRO, 1)) {
    return failure("UDP_GRO");
  }
  const auto own = udp_address("0.0.0.0", port);
  if (::bind(fd_, native(own), sizeof(own)) != 0) return failure("bind");
  return {};
}

Result<void> UdpSocket::join(const UdpAddress& group, const UdpAddress& interface) {
  const ip_mreq membership{group.sin_addr, interface.sin_addr};
  const bool joined =
      ::setsockopt(fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)) == 0 &&
      ::setsockopt(
          fd_, IPPROTO_IP, IP_MULTICAST_IF, &interface.sin_addr, sizeof(interface.sin_addr)) == 0 &&
      set_number(fd_, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  if (!joined) return failure("multicast");
  return {};
}

Result<void> UdpSocket::send(
    std::span<std::byte> datagrams,
    std::size_t datagram_bytes,
    std::span<UdpAddress> destinations) {
  switch (send_way_) {
    case SendWay::sendto:
      return send_singly(datagrams, datagram_bytes, destinations);
    case SendWay::sendmmsg:
      return send_many(datagrams, datagram_bytes, destinations);
    case SendWay::gso:
      return send_segmented(datagrams, datagram_bytes, destinations);
  }
  return {};
}

Result<void> UdpSocket::send_singly(
    std::span<const std::byte> datagrams,
    std::size_t datagram_bytes,
    std::span<const UdpAddress> destinations) const {
  for (std::size_t at = 0; at < datagrams.size(); at += datagram_bytes) {
    const auto datagram = datagrams.subspan(at, datagram_bytes);
    for (const auto& to : destinations) {
      if (!send_one(fd_, datagram, to)) return failure("sendto");
    }
  }
  return {};
}

Result<void> UdpSocket::send_many(
    std::span<std::byte> datagrams,
    std::size_t datagram_bytes,
    std::span<UdpAddress> destinations) {
  out_parts_.clear();
  out_messages_.clear();
  for (std::size_t at = 0; at < datagrams.size(); at += datagram_bytes) {
    out_parts_.push_back({&datagrams[at], datagram_bytes});
  }
  for (auto& to : destinations) {
    for (auto& part : out_parts_) {
      mmsghdr message{};
      message.msg_hdr.msg_name = &to;
      message.msg_hdr.msg_namelen = sizeof(to);
      message.msg_hdr.msg_iov = &part;
      message.msg_hdr.msg_iovlen = 1;
      out_messages_.push_back(message);
    }
  }
  std::size_t done{0};
  while (done < out_messages_.size()) {
    const auto left = static_cast<unsigned>(out_messages_.size() - done);
    const int sent = ::sendmmsg(fd_, &out_messages_[done], left, 0);
    if (sent < 0 && !is_passing(errno)) return failure("sendmmsg");
    done += static_cast<std::size_t>(std::max(sent, 0));
  }
  return {};
}

Result<void> UdpSocket::send_segmented(
    std::span<std::byte> datagrams,
    std::size_t datagram_bytes,
    std::span<UdpAddress> destinations) const {
  iovec part{datagrams.data(), datagrams.size()};
  std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  for (auto& to : destinations) {
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof(to);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(datagram_bytes);
    std::memcpy(CMSG_DATA(header), &segment, sizeof(segment));
    while (::sendmsg(fd_, &message, 0) < 0) {
      if (!is_passing(errno)) return failure("sendmsg with UDP_SEGMENT");
    }
  }
  return {};
}

Result<bool> UdpSocket::receive(const std::function<void(std::span<const std::byte>)>& take) {
  if (receive_way_ == ReceiveWay::recv) {
    const auto got = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) return false;
    take(std::span(buffer_).first(static_cast<std::size_t>(got)));
    return true;
  }
  for (std::size_t i = 0; i < messages_.size() && receive_way_ == ReceiveWay::gro; ++i) {
    messages_[i].msg_hdr.msg_control = &controls_[i * control_bytes];
    messages_[i].msg_hdr.msg_controllen = control_bytes;
  }
  const auto count = static_cast<unsigned>(messages_.size());
  const int got = ::recvmmsg(fd_, messages_.data(), count, MSG_DONTWAIT, nullptr);
  if (got < 0) return false;
  for (auto& message : std::span(messages_).first(static_cast<std::size_t>(got))) {
    const std::span bytes(
        static_cast<const std::byte*>(message.msg_hdr.msg_iov->iov_base), message.msg_len);
    const auto segment = segment_bytes(message.msg_hdr, bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += segment) {
      take(bytes.subspan(at, std::min(segment, bytes.size() - at)));
    }
  }
  return got == static_cast<int>(count);
}

}  // namespace ringcast::bench
