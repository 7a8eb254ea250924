// SPDX-License-Identifier: Apache-2.0
//
// recvmmsg.
#include "tools/ringlog-publish/packet_blocks.hpp"

#include <algorithm>
#include <cstring>

namespace ringcast::ringlog {

PacketBlocks::PacketBlocks(std::size_t bytes_max)
    : block_bytes_(std::max(bytes_max, start_bytes)),
      starts_(new char[at_once * start_bytes]),
      blocks_(new char[at_once * block_bytes_]),
      parts_(at_once),
      controls_(at_once),
      headers_(at_once) {
  for (std::size_t i = 0; i < at_once; ++i) {
    parts_[i] = Parts{
        iovec{start(i), std::min(start_bytes, bytes_max)},
        iovec{block(i) + start_bytes, block_bytes_ - start_bytes}};
    auto& header = headers_[i].msg_hdr;
    header.msg_iov = &parts_[i].start;
    header.msg_iovlen = 2;
    header.msg_control = controls_[i].bytes;
  }
}

int PacketBlocks::receive(int socket) {
  for (auto& header : headers_) {
    header.msg_hdr.msg_controllen = sizeof(Control);
  }
  return ::recvmmsg(
      socket,
      headers_.data(),
      static_cast<unsigned>(headers_.size()),
      MSG_DONTWAIT | MSG_TRUNC,
      nullptr);
}

std::string_view PacketBlocks::packet(std::size_t i) {
  const auto kept = std::min(length(i), parts_[i].start.iov_len + parts_[i].rest.iov_len);
  if (kept <= start_bytes) return {start(i), kept};
  std::copy_n(start(i), start_bytes, block(i));
  return {block(i), kept};
}

std::optional<std::uint32_t> PacketBlocks::overflowed(std::size_t i) const {
  const auto* const extra = CMSG_FIRSTHDR(&headers_[i].msg_hdr);
  if (extra == nullptr || extra->cmsg_level != SOL_SOCKET || extra->cmsg_type != SO_RXQ_OVFL) {
    return std::nullopt;
  }
  std::uint32_t count = 0;
  std::memcpy(&count, CMSG_DATA(extra), sizeof count);
  return count;
}

}  // namespace ringcast::ringlog
