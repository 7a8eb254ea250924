// SPDX-License-Identifier: Apache-2.0
#include "local/descriptor.hpp"

#include <array>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ringcast {
namespace {

/// Room for one descriptor beside a message; what more comes along, the kernel closes. (It would
/// put a second one where CMSG_SPACE rounds up.)
constexpr std::size_t control_bytes = CMSG_LEN(sizeof(int));
union ControlSpace {
  cmsghdr header;
  std::array<std::byte, control_bytes> bytes;
};

}  // namespace

Descriptor::~Descriptor() {
  if (number_ != -1) (void)::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

ssize_t send_with_descriptor(int socket, std::span<iovec> pieces, int descriptor) {
  ControlSpace control{};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = control_bytes;
  auto* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t receive_with_descriptor(int socket, std::span<std::byte> space, Descriptor& descriptor) {
  ControlSpace control{};
  iovec piece{.iov_base = space.data(), .iov_len = space.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control_bytes;
  const auto count = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  const auto* const header = CMSG_FIRSTHDR(&message);
  const bool has_one = header != nullptr && header->cmsg_level == SOL_SOCKET &&
                       header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int));
  if (!has_one) return count;
  int number{-1};
  std::memcpy(&number, CMSG_DATA(header), sizeof(number));
  descriptor = Descriptor(number);
  return count;
}

}  // namespace ringcast
