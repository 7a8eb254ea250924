// SPDX-License-Identifier: Apache-2.0
#include "daemon/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include "daemon/tcp_liveness.hpp"

namespace ringcast {
namespace {

constexpr std::size_t vectors_max = 64;
constexpr std::size_t write_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t flush_bytes_max = std::size_t{4} << 20U;  // then others have their turn

}  // namespace

ClientConnection::ClientConnection(asio::io_context& io, int descriptor, bool tcp)
    : descriptor_(io), tcp_(tcp) {
  asio::error_code error;
  descriptor_.assign(descriptor, error);
  if (error) (void)::close(descriptor);
}

ClientConnection::~ClientConnection() { close(); }

ClientConnection::Read ClientConnection::read(std::span<std::byte> space) {
  for (;;) {
    const auto count =
        ::recv(descriptor_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
    if (count > 0) return Read{.count = static_cast<std::size_t>(count), .closed = false};
    if (count == 0) return Read{.count = 0, .closed = true};
    if (errno == EINTR) continue;
    return Read{.count = 0, .closed = errno != EAGAIN};
  }
}

void ClientConnection::enqueue(BufferRef frame) {
  if (!frame.empty()) output_.push_back(std::move(frame));
}

ClientConnection::Written ClientConnection::flush() {
  Written written;
  while (!output_.empty() && written.count < flush_bytes_max) {
    const auto count = write_once();
    if (count >= 0) {
      drop_written(static_cast<std::size_t>(count));
      written.count += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    written.blocked = errno == EAGAIN;
    written.closed = !written.blocked;
    return written;
  }
  return written;
}

/// One system call for the frames at the head of the queue; as sendmsg returns.
ssize_t ClientConnection::write_once() {
  std::array<iovec, vectors_max> vectors{};
  std::size_t used{0};
  std::size_t total{0};
  for (const auto& frame : output_) {
    if (used == vectors_max || total >= write_bytes_max) break;
    const auto bytes = frame.bytes().subspan(used == 0 ? head_written_ : 0);
    vectors[used++] =
        iovec{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
    total += bytes.size();
  }
  msghdr header{};
  header.msg_iov = vectors.data();
  header.msg_iovlen = used;
  return ::sendmsg(descriptor_.native_handle(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ClientConnection::drop_written(std::size_t count) {
  head_written_ += count;
  while (!output_.empty() && head_written_ >= output_.front().size()) {
    head_written_ -= output_.front().size();
    output_.pop_front();
  }
}

ClientConnection::Written ClientConnection::flush_all() {
  auto written = flush();
  while (has_output() && !written.blocked && !written.closed) {
    const auto more = flush();
    written = Written{
        .count = written.count + more.count, .closed = more.closed, .blocked = more.blocked};
  }
  return written;
}

void ClientConnection::keep_last_words() {
  const std::size_t kept_front = head_written_ > 0 ? 1 : 0;
  if (output_.size() <= kept_front + 1) return;
  output_.erase(
      output_.begin() + static_cast<std::ptrdiff_t>(kept_front), std::prev(output_.end()));
}

bool ClientConnection::hang_up_if_lost() {
  const auto native = descriptor_.native_handle();
  if (hung_up_ || !is_lost(native)) return false;
  hung_up_ = ::shutdown(native, SHUT_RDWR) == 0;
  return hung_up_;
}

void ClientConnection::close() {
  if (!descriptor_.is_open()) return;
  (void)::shutdown(descriptor_.native_handle(), SHUT_WR);
  if (tcp_) discard_input();
  asio::error_code ignored;
  descriptor_.close(ignored);
}

/// Unread input would turn the close into a reset that overtakes our last words.
void ClientConnection::discard_input() {
  std::array<std::byte, 16384> unread{};
  const auto native = descriptor_.native_handle();
  for (int i = 0; i < 16; ++i) {
    if (::recv(native, unread.data(), unread.size(), MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace ringcast
