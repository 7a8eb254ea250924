// SPDX-License-Identifier: Apache-2.0
#include "fuzz/hostile_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fuzz/check.hpp"

namespace ringcast::fuzz {
namespace {

// Far above what the system hands out.
constexpr int first_fd = 1'000'000;
constexpr std::uint64_t calls_max = 200'000;

HostileKernel* the_kernel = nullptr;

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

HostileKernel::HostileKernel(std::deque<Arrival> arrivals, const Manners& manners)
    : arrivals_(std::move(arrivals)), manners_(manners), last_fd_(first_fd) {
  check(the_kernel == nullptr, "one kernel at a time");
  the_kernel = this;
}

HostileKernel::~HostileKernel() { the_kernel = nullptr; }

HostileKernel* HostileKernel::active() { return the_kernel; }

void HostileKernel::count_call() {
  check(++calls_ < calls_max, "the client does not go round in circles");
}

int HostileKernel::open_socket() {
  count_call();
  check(open_ == -1, "the client closes one socket before it opens another");
  open_ = ++last_fd_;
  return open_;
}

int HostileKernel::connect() {
  count_call();
  if (++connections_ > manners_.connections_max) return fail(ECONNREFUSED);
  return manners_.slow_to_connect ? fail(EINPROGRESS) : 0;
}

void HostileKernel::close() { open_ = -1; }

ssize_t HostileKernel::receive(std::span<std::byte> room) {
  count_call();
  if (arrivals_.empty()) return 0;
  auto& next = arrivals_.front();
  const auto kind = next.kind;
  if (kind == Arrival::Kind::bytes && !next.bytes.empty()) {
    const std::size_t count = std::min(room.size(), next.bytes.size());
    const auto end = next.bytes.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(next.bytes.begin(), end, room.begin());
    next.bytes.erase(next.bytes.begin(), end);
    if (next.bytes.empty()) arrivals_.pop_front();
    return static_cast<ssize_t>(count);
  }
  arrivals_.pop_front();
  if (kind == Arrival::Kind::ended) return 0;
  return fail(kind == Arrival::Kind::reset ? ECONNRESET : EAGAIN);
}

ssize_t HostileKernel::send(std::size_t size) {
  count_call();
  if (manners_.refuses_writes && ++writes_ % 2 == 0) return fail(EAGAIN);
  if (manners_.write_bytes_max > 0) size = std::min(size, manners_.write_bytes_max);
  return static_cast<ssize_t>(size);
}

/// Time passes here alone, and always: no deadline is beyond reach.
int HostileKernel::poll(pollfd& entry, int timeout_ms) {
  count_call();
  now_ += std::chrono::milliseconds{1};
  entry.revents = 0;
  const bool is_quiet = !arrivals_.empty() && arrivals_.front().kind == Arrival::Kind::nothing;
  if (owns(entry.fd)) {
    const int ready = is_quiet ? POLLOUT : POLLIN | POLLOUT;
    entry.revents = static_cast<short>(entry.events & ready);
  }
  if (entry.revents != 0) return 1;
  if (is_quiet) arrivals_.pop_front();
  if (timeout_ms > 0) now_ += std::chrono::milliseconds{timeout_ms};
  return 0;
}

}  // namespace ringcast::fuzz

// --- in the place of the system's ------------------------------------------------------------

using ringcast::fuzz::HostileKernel;

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" {

int __real_socket(int domain, int type, int protocol);
int __real_connect(int fd, const sockaddr* address, socklen_t length);
int __real_getsockopt(int fd, int level, int option, void* value, socklen_t* length);
int __real_setsockopt(int fd, int level, int option, const void* value, socklen_t length);
int __real_close(int fd);
ssize_t __real_recv(int fd, void* room, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
int __real_poll(pollfd* entries, nfds_t count, int timeout);
// A time_point is passed as the number it holds.
std::int64_t __real__ZNSt6chrono3_V212steady_clock3nowEv();
unsigned __real__ZNSt13random_device9_M_getvalEv(void* device);

int __wrap_socket(int domain, int type, int protocol) {
  auto* const kernel = HostileKernel::active();
  return kernel != nullptr ? kernel->open_socket() : __real_socket(domain, type, protocol);
}

int __wrap_connect(int fd, const sockaddr* address, socklen_t length) {
  auto* const kernel = HostileKernel::active();
  return kernel != nullptr ? kernel->connect() : __real_connect(fd, address, length);
}

int __wrap_getsockopt(int fd, int level, int option, void* value, socklen_t* length) {
  if (HostileKernel::active() == nullptr) {
    return __real_getsockopt(fd, level, option, value, length);
  }
  *static_cast<int*>(value) = 0;
  return 0;
}

int __wrap_setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  if (HostileKernel::active() != nullptr) return 0;
  return __real_setsockopt(fd, level, option, value, length);
}

int __wrap_close(int fd) {
  auto* const kernel = HostileKernel::active();
  if (kernel == nullptr || !kernel->owns(fd)) return __real_close(fd);
  kernel->close();
  return 0;
}

ssize_t __wrap_recv(int fd, void* room, size_t size, int flags) {
  auto* const kernel = HostileKernel::active();
  if (kernel == nullptr) return __real_recv(fd, room, size, flags);
  return kernel->receive({static_cast<std::byte*>(room), size});
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  auto* const kernel = HostileKernel::active();
  if (kernel == nullptr) return __real_sendmsg(fd, message, flags);
  size_t size = 0;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    size += message->msg_iov[i].iov_len;
  }
  return kernel->send(size);
}

int __wrap_poll(pollfd* entries, nfds_t count, int timeout) {
  auto* const kernel = HostileKernel::active();
  if (kernel == nullptr || count != 1) return __real_poll(entries, count, timeout);
  return kernel->poll(*entries, timeout);
}

std::int64_t __wrap__ZNSt6chrono3_V212steady_clock3nowEv() {
  auto* const kernel = HostileKernel::active();
  if (kernel == nullptr) return __real__ZNSt6chrono3_V212steady_clock3nowEv();
  return kernel->now().time_since_epoch().count();
}

unsigned __wrap__ZNSt13random_device9_M_getvalEv(void* device) {
  if (HostileKernel::active() != nullptr) return 1;
  return __real__ZNSt13random_device9_M_getvalEv(device);
}
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
