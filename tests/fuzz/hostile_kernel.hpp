// SPDX-License-Identifier: Apache-2.0
//
// HostileKernel: the sockets and the clock a Client sees in the target `client`. The linker puts
// its functions in the place of the system's (--wrap, see CMakeLists.txt); they act on the one
// kernel alive, and pass everything on to the system when there is none. So a hostile daemon
// needs no process, no descriptor and no waiting, and the same bytes always come in the same
// pieces.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <poll.h>
#include <span>
#include <sys/types.h>
#include <vector>

namespace ringcast::fuzz {

class HostileKernel {
 public:
  /// What the next read of the client finds.
  struct Arrival {
    enum class Kind : std::uint8_t { bytes, nothing, ended, reset };
    Kind kind{Kind::bytes};
    std::vector<std::byte> bytes;
  };
  struct Manners {
    std::size_t write_bytes_max{0};  ///< taken by one write; 0: all
    bool refuses_writes{false};      ///< every second one is told to come again
    unsigned connections_max{4};     ///< then nobody listens any more
    bool slow_to_connect{false};
  };

  HostileKernel(std::deque<Arrival> arrivals, const Manners& manners);
  ~HostileKernel();
  HostileKernel(const HostileKernel&) = delete;
  HostileKernel& operator=(const HostileKernel&) = delete;
  HostileKernel(HostileKernel&&) = delete;
  HostileKernel& operator=(HostileKernel&&) = delete;

  /// The one there is, or null.
  static HostileKernel* active();
  [[nodiscard]] bool owns(int fd) const { return fd == open_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] int descriptors() const { return open_ == -1 ? 0 : 1; }

  // The system calls.
  int open_socket();
  int connect();
  void close();
  ssize_t receive(std::span<std::byte> room);
  ssize_t send(std::size_t size);
  int poll(pollfd& entry, int timeout_ms);
  std::chrono::steady_clock::time_point now() const { return now_; }

 private:
  void count_call();

  std::deque<Arrival> arrivals_;
  Manners manners_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours{1}};
  int open_{-1};
  int last_fd_;
  unsigned connections_{0};
  std::uint64_t writes_{0};
  std::uint64_t calls_{0};
};

}  // namespace ringcast::fuzz
