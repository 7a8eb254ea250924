// SPDX-License-Identifier: Apache-2.0
#include "daemon/udp_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "daemon/system_message.hpp"
#include "daemon/udp_path.hpp"
#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

constexpr std::size_t send_batch = 64;
constexpr int patience_max = 5;  // waits for buffer space in one send()
constexpr int patience_wait_ms = 1;

bool set_flag(int descriptor, int level, int option, int value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

/// Packets larger than a path are fragmented rather than lost.
void allow_fragments(int descriptor, bool v6) {
  if (v6) {
    set_flag(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  } else {
    set_flag(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  }
}

SetupFailure bind_failure(int error, const SocketAddress& address) {
  SetupFailure failure;
  failure.option = "daemon.address";
  const auto text = to_string(address);
  if (error == EADDRNOTAVAIL) {
    failure.problem = "address " + text + " is not an address of this host";
    failure.remedy = "this host has " + list_hosts(address.family()) +
                     "; correct the address or choose another daemon with --name";
  } else if (error == EADDRINUSE) {
    failure.problem = "UDP port of " + text + " is in use";
    failure.remedy = "stop the program that holds it (see: ss -ulpn) or choose another port";
  } else {
    failure.problem = "cannot listen on UDP " + text + ": " + system_message(error);
    failure.remedy = error == EACCES ? "choose a port above 1023" : "choose another address";
  }
  return failure;
}

/// Bytes that lie behind the last piece, from `first` on, make that longer.
void append_to(std::vector<iovec>& pieces, std::size_t first, std::span<const std::byte> bytes) {
  if (pieces.size() > first) {
    auto& last = pieces.back();
    if (static_cast<const std::byte*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return;
    }
  }
  pieces.push_back(
      iovec{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()});
}

}  // namespace

/// Where recvmmsg puts a batch.
struct UdpTransport::Slots {
  struct alignas(cmsghdr) Control {
    std::array<std::byte, CMSG_SPACE(sizeof(int))> bytes;
  };
  std::array<mmsghdr, receive_batch> headers{};
  std::array<iovec, receive_batch> vectors{};
  std::array<sockaddr_storage, receive_batch> sources{};
  std::array<Control, receive_batch> controls{};
  std::array<BufferRef, receive_batch> buffers;

  void arm(std::size_t slot) {
    auto& buffer = buffers[slot];
    if (buffer.empty()) buffer = BufferRef::allocate(slot_bytes);
    vectors[slot] = iovec{.iov_base = buffer.writable().data(), .iov_len = slot_bytes};
    auto& header = headers[slot].msg_hdr;
    header.msg_name = &sources[slot];
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_iov = &vectors[slot];
    header.msg_iovlen = 1;
    header.msg_control = controls[slot].bytes.data();
    header.msg_controllen = controls[slot].bytes.size();
    header.msg_flags = 0;
  }

  /// Size of the packets that were merged into this message, or nothing.
  [[nodiscard]] std::size_t segment_bytes(std::size_t slot) {
    auto& header = headers[slot].msg_hdr;
    for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
      if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
      int size{0};
      std::memcpy(&size, CMSG_DATA(control), sizeof(size));
      return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    return 0;
  }
};

UdpTransport::UdpTransport(Count count) : count_(std::move(count)) {}

UdpTransport::~UdpTransport() { close(); }

void UdpTransport::close() {
  if (main_ >= 0) (void)::close(std::exchange(main_, -1));
  if (group_ >= 0) (void)::close(std::exchange(group_, -1));
}

std::optional<SetupFailure> UdpTransport::open(const UdpOptions& options) {
  options_ = options;
  slots_ = std::make_unique<Slots>();
  if (!options_.local.resolve_scope()) return missing_interface("daemon.address", options.local);
  if (auto failure = open_main(options_)) return failure;
  if (options_.multicast) {
    if (auto failure = open_group(options_)) {
      if (!options.multicast_optional) return failure;
      spdlog::warn("{} -> using unicast", failure->problem);
      if (group_ >= 0) (void)::close(std::exchange(group_, -1));
      options_.multicast.reset();
    }
  }
  set_peers(options.peers);
  return std::nullopt;
}

std::optional<SetupFailure> UdpTransport::open_main(const UdpOptions& options) {
  main_ = ::socket(options.local.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (main_ < 0) return bind_failure(errno, options.local);
  if (options.local.is_v6()) set_flag(main_, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(main_, options.local.native(), options.local.native_bytes()) != 0) {
    return bind_failure(errno, options.local);
  }
  allow_fragments(main_, options.local.is_v6());
  enlarge_buffers(main_, options.socket_buffer_bytes);
  int size{0};
  socklen_t size_bytes = sizeof(size);
  if (::getsockopt(main_, SOL_SOCKET, SO_RCVBUF, &size, &size_bytes) == 0) {
    receive_buffer_bytes_ = static_cast<std::uint32_t>(size);
  }
  set_flag(main_, SOL_UDP, UDP_GRO, 1);
  // Asking for no segmentation at all tells whether the kernel knows the option.
  segmentation_ = set_flag(main_, SOL_UDP, UDP_SEGMENT, 0);
  interface_mtu_ = interface_mtu(options.local);
  return std::nullopt;
}

std::optional<SetupFailure> UdpTransport::open_group(const UdpOptions& options) {
  auto& group = *options_.multicast;
  if (!group.resolve_scope()) return missing_interface("ring.multicast", group);
  SetupFailure failure;
  failure.option = "ring.multicast";
  const auto index = multicast_interface_index(options.multicast_interface, options.local);
  if (index == 0) {
    failure.option = "ring.multicast_interface";
    failure.problem = "interface \"" + options.multicast_interface + "\" does not exist";
    failure.remedy = "name an interface of this host (see: ip link) or remove multicast_interface";
    return failure;
  }
  group_ = ::socket(group.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool bound = group_ >= 0 && set_flag(group_, SOL_SOCKET, SO_REUSEADDR, 1) &&
                     ::bind(group_, group.native(), group.native_bytes()) == 0;
  if (!bound || !join_group(group_, group, index) ||
      !aim_multicast(main_, group, index, options.multicast_ttl) || !has_route(group, index)) {
    failure.problem = "cannot use multicast " + to_string(group) + ": " + system_message(errno);
    failure.remedy = "choose another group or port, or transport = \"unicast\"";
    return failure;
  }
  enlarge_buffers(group_, options.socket_buffer_bytes);
  set_flag(group_, SOL_UDP, UDP_GRO, 1);
  return std::nullopt;
}

void UdpTransport::enlarge_buffers(int descriptor, std::uint64_t bytes) {
  const int wanted = static_cast<int>(std::min<std::uint64_t>(bytes, std::uint64_t{1} << 30U));
  // The forced variants need CAP_NET_ADMIN; the others stop at net.core.[rw]mem_max.
  if (!set_flag(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, wanted)) {
    set_flag(descriptor, SOL_SOCKET, SO_RCVBUF, wanted);
  }
  if (!set_flag(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, wanted)) {
    set_flag(descriptor, SOL_SOCKET, SO_SNDBUF, wanted);
  }
}

void UdpTransport::set_peers(std::vector<UdpPeer> peers) {
  options_.peers = std::move(peers);
  destinations_.clear();
  destination_of_.clear();
  sources_.clear();
  for (auto& peer : options_.peers) {
    if (!peer.address.resolve_scope()) {
      spdlog::warn(
          "{} -> nothing is sent there", missing_interface("daemon.address", peer.address).problem);
      continue;
    }
    destination_of_[peer.id] = static_cast<std::uint32_t>(destinations_.size());
    destinations_.push_back(peer.address);
    sources_.insert(peer.address);
  }
  if (!options_.multicast) return;
  destinations_.push_back(*options_.multicast);
  // Our own packets would come back to us, to be thrown away, unless others here wait for them.
  const bool has_neighbour =
      std::any_of(options_.peers.begin(), options_.peers.end(), [](const UdpPeer& peer) {
        return is_of_this_host(peer.address);
      });
  if (!loop_multicast(main_, options_.local.is_v6(), has_neighbour)) {
    spdlog::warn("cannot choose whether multicast comes back: {}", system_message(errno));
  }
}

std::uint32_t UdpTransport::datagram_bytes_max() const {
  auto mtu = interface_mtu_;
  for (const auto& peer : options_.peers) {
    const auto path = path_mtu(options_.local, peer.address);
    if (path) mtu = std::min(mtu, *path);
  }
  return payload_for_mtu(mtu, options_.local.is_v6());
}

std::vector<int> UdpTransport::sockets() const {
  std::vector<int> descriptors{main_};
  if (group_ >= 0) descriptors.push_back(group_);
  return descriptors;
}

bool UdpTransport::receive(std::size_t index, std::vector<BufferRef>& datagrams) {
  auto& slots = *slots_;
  for (std::size_t slot = 0; slot < receive_batch; ++slot) {
    slots.arm(slot);
  }
  const int count = ::recvmmsg(
      index == 0 ? main_ : group_, slots.headers.data(), receive_batch, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    const int error = errno;
    if (error == EAGAIN) return false;
    // Errors of earlier sends surface here; the next call goes on.
    if (error != EINTR) count_("udp_receive_errors", 1);
    return error == EINTR || error == ECONNREFUSED;
  }
  count_("udp_receive_calls", 1);
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(count); ++slot) {
    take_slot(slot, datagrams);
  }
  return static_cast<std::size_t>(count) == receive_batch;
}

void UdpTransport::take_slot(std::size_t slot, std::vector<BufferRef>& datagrams) {
  auto& slots = *slots_;
  const auto& header = slots.headers[slot];
  const auto source = SocketAddress::from_native(slots.sources[slot]);
  if (!sources_.contains(source)) {
    // Where daemons share a host our own multicast comes back to us: that is no stranger.
    if (!(source == options_.local)) count_("udp_unknown_source", 1);
    return;
  }
  if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
    count_("udp_truncated", 1);
    return;
  }
  const std::size_t total{header.msg_len};
  if (total == 0) return;
  // A well-filled slot is handed on as it is; a small packet must not hold 64 KiB.
  BufferRef whole;
  if (total >= slot_bytes / 2) {
    whole = std::exchange(slots.buffers[slot], BufferRef{}).slice(0, total);
  } else {
    whole = BufferRef::copy_of(slots.buffers[slot].bytes().first(total));
  }
  const auto merged = slots.segment_bytes(slot);
  const auto segment = merged == 0 ? total : merged;
  for (std::size_t offset = 0; offset < total; offset += segment) {
    datagrams.push_back(whole.slice(offset, std::min(segment, total - offset)));
  }
}

std::vector<std::uint32_t> UdpTransport::resolve(const std::vector<NodeId>& peers) {
  std::vector<std::uint32_t> found;
  found.reserve(peers.size());
  for (const auto id : peers) {
    const auto destination = destination_of_.find(id);
    if (destination == destination_of_.end()) {
      count_("udp_unknown_destination", 1);
      continue;
    }
    found.push_back(destination->second);
  }
  return found;
}

void UdpTransport::send(
    std::span<const std::vector<NodeId>> peer_sets, std::span<const Transmit> transmits) {
  if (transmits.empty() || main_ < 0) return;
  std::vector<std::vector<std::uint32_t>> resolved;
  resolved.reserve(peer_sets.size());
  for (const auto& peers : peer_sets) {
    resolved.push_back(resolve(peers));
  }
  const std::vector<std::uint32_t> group{static_cast<std::uint32_t>(destinations_.size() - 1)};

  std::vector<Addressed> addressed;
  addressed.reserve(transmits.size());
  for (std::size_t i = 0; i < transmits.size(); ++i) {
    const auto& transmit = transmits[i];
    RC_ASSERT(transmit.peers < resolved.size());
    const auto& unicast = resolved[transmit.peers];
    const bool to_group = transmit.to_many && options_.multicast && !unicast.empty();
    addressed.push_back(Addressed{
        .packet = static_cast<std::uint32_t>(i),
        .bytes = static_cast<std::uint32_t>(transmit.packet.size()),
        .destinations = to_group ? std::span{group} : std::span{unicast}});
  }
  send_outgoing(spread_out(addressed), transmits);
}

void UdpTransport::send_outgoing(
    std::span<const PacketCopy> outgoing, std::span<const Transmit> transmits) {
  while (!outgoing.empty()) {
    const auto batches = plan_batches(outgoing, segmentation_);
    outgoing = outgoing.subspan(send_planned(outgoing, batches, transmits));
  }
}

UdpTransport::Refusal UdpTransport::judge(int error, const SendBatch& batch, int& patience) {
  if (error == EINTR) return Refusal::again;
  const bool segmented = batch.segment_bytes != 0;
  if (segmented && (error == EINVAL || error == EIO || error == EMSGSIZE || error == ENOPROTOOPT)) {
    spdlog::info(
        "segmentation offload refused ({}) -> sending packets one by one", system_message(error));
    count_("udp_segmentation_refused", 1);
    segmentation_ = false;
    return Refusal::plain;
  }
  if ((error == EAGAIN || error == ENOBUFS) && patience > 0) {
    --patience;
    count_("udp_send_waits", 1);
    pollfd waiting{.fd = main_, .events = POLLOUT, .revents = 0};
    (void)::poll(&waiting, 1, patience_wait_ms);
    return Refusal::again;
  }
  count_("udp_send_refused", batch.count);
  return Refusal::skip;
}

/// Returns how many of `outgoing` are dealt with: all, or those before segmentation failed.
std::size_t UdpTransport::send_planned(
    std::span<const PacketCopy> outgoing,
    std::span<const SendBatch> batches,
    std::span<const Transmit> transmits) {
  struct alignas(cmsghdr) Control {
    std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };
  std::vector<iovec> vectors;
  vectors.reserve(outgoing.size());
  std::vector<mmsghdr> headers(batches.size());
  std::vector<Control> controls(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& batch = batches[i];
    const auto& destination = destinations_[outgoing[batch.first].destination];
    auto& header = headers[i].msg_hdr;
    header.msg_name = const_cast<sockaddr*>(destination.native());
    header.msg_namelen = destination.native_bytes();
    const std::size_t first = vectors.size();
    for (const auto& copy : outgoing.subspan(batch.first, batch.count)) {
      append_to(vectors, first, transmits[copy.packet].packet.bytes());
    }
    header.msg_iov = &vectors[first];
    header.msg_iovlen = vectors.size() - first;
    if (batch.segment_bytes == 0) continue;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = controls[i].bytes.size();
    auto* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(batch.segment_bytes);
    std::memcpy(CMSG_DATA(control), &segment, sizeof(segment));
  }

  int patience = patience_max;
  std::size_t next{0};
  while (next < headers.size()) {
    const auto wanted = static_cast<unsigned>(std::min(headers.size() - next, send_batch));
    const int sent = ::sendmmsg(main_, &headers[next], wanted, MSG_DONTWAIT);
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      count_("udp_send_calls", 1);
      continue;
    }
    const auto refusal = judge(errno, batches[next], patience);
    if (refusal == Refusal::plain) return batches[next].first;
    if (refusal == Refusal::skip) ++next;
  }
  return outgoing.size();
}

}  // namespace ringcast
