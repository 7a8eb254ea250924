// SPDX-License-Identifier: Apache-2.0
//
// PacketBlocks: many packets of a socket in one system call. Most are short: their beginnings lie
// side by side, in few cache lines and pages, and only what is longer goes on in a block of its
// own. Nothing is initialised: of each block only what is used becomes memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace ringcast::ringlog {

class PacketBlocks {
 public:
  static constexpr std::size_t at_once = 32;

  /// Of a longer packet than `bytes_max` the rest is cut off.
  explicit PacketBlocks(std::size_t bytes_max);

  /// Does not wait. How many packets came, less than at_once when there are no more; -1 with errno.
  int receive(int socket);

  // Of the packet `i` of the last receive().
  [[nodiscard]] std::string_view packet(std::size_t i);
  /// Its own length, be it cut.
  [[nodiscard]] std::size_t length(std::size_t i) const { return headers_[i].msg_len; }
  [[nodiscard]] bool is_cut(std::size_t i) const {
    return (headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
  /// How many packets the kernel had dropped before it, when the socket has SO_RXQ_OVFL and there
  /// were any.
  [[nodiscard]] std::optional<std::uint32_t> overflowed(std::size_t i) const;

 private:
  static constexpr std::size_t start_bytes = 1024;
  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(std::uint32_t))];
  };
  struct Parts {
    iovec start;
    iovec rest;
  };

  [[nodiscard]] char* start(std::size_t i) { return starts_.get() + i * start_bytes; }
  [[nodiscard]] char* block(std::size_t i) { return blocks_.get() + i * block_bytes_; }

  std::size_t block_bytes_;
  std::unique_ptr<char[]> starts_;
  std::unique_ptr<char[]> blocks_;
  std::vector<Parts> parts_;
  std::vector<Control> controls_;
  std::vector<mmsghdr> headers_;
};

}  // namespace ringcast::ringlog
