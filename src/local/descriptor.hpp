// SPDX-License-Identifier: Apache-2.0
//
// Descriptor: the number of an open file that has an owner, and its way to another process, with
// bytes over a unix socket.
#pragma once

#include <cstddef>
#include <span>
#include <sys/types.h>
#include <sys/uio.h>

namespace ringcast {

/// A descriptor that is closed when it is not needed any more.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ != -1; }

 private:
  int number_{-1};
};

/// sendmsg() without waiting and with that descriptor.
ssize_t send_with_descriptor(int socket, std::span<iovec> pieces, int descriptor);
/// recv() without waiting; `descriptor`: one that came along.
ssize_t receive_with_descriptor(int socket, std::span<std::byte> space, Descriptor& descriptor);

}  // namespace ringcast
