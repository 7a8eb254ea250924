// SPDX-License-Identifier: Apache-2.0
#include "client/connection.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

constexpr std::size_t read_bytes = std::size_t{256} << 10U;
// Buffers that grew for one large message are given back when they are empty.
constexpr std::size_t buffer_bytes_kept = std::size_t{4} << 20U;

bool is_length(std::uint32_t length) { return length > 0 && length <= server_frame_bytes_max; }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

Error lost(std::string_view doing, int error) {
  return Error{
      Errc::io,
      "connection to the daemon lost while " + std::string(doing) + ": " +
          std::system_category().message(error)};
}

const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

// Wishes: a kernel that refuses one still makes a connection.
void set_option(int fd, int level, int option, std::int64_t wanted) {
  const auto value = static_cast<int>(wanted);
  (void)::setsockopt(fd, level, option, &value, sizeof(value));
}

/// A daemon's host that has gone without a word is noticed within seconds. [SES-17]
void tune_tcp(int fd) {
  using std::chrono::seconds;
  constexpr seconds idle{5};
  constexpr seconds interval{2};
  constexpr int probes = 3;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle.count());
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval.count());
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

iovec piece(std::span<const std::byte> bytes) {
  // writev does not write through the pointer it takes as non-const.
  return iovec{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
}

/// The bytes the socket took, 0 when it takes none now. Errors: io.
Result<std::size_t> write_pieces(int fd, std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  for (;;) {
    const auto count = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block(errno)) return std::size_t{0};
    if (errno != EINTR) return lost("writing", errno);
  }
}

}  // namespace

Result<Connection::Opening> Connection::open(const Address& address) {
  RC_ASSERT(fd_ == -1);
  fd_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ == -1) {
    return Error{Errc::io, "cannot open a socket: " + std::system_category().message(errno)};
  }
  if (::connect(fd_, generic(address), address.length) == 0) return opened(address);
  const int error = errno;
  if (error == EINPROGRESS || error == EINTR) return Opening::in_progress;
  close();
  if (would_block(error)) return Opening::busy;
  return cannot_connect(address, error);
}

Result<Connection::Opening> Connection::finish(const Address& address) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error == 0) return opened(address);
  close();
  return cannot_connect(address, error);
}

// Not before: how long it takes to connect is the caller's to bound.
Connection::Opening Connection::opened(const Address& address) const {
  if (address.family() != AF_UNIX) tune_tcp(fd_);
  return Opening::done;
}

void Connection::close() {
  if (fd_ != -1) (void)::close(fd_);
  fd_ = -1;
  out_.clear();
  out_begin_ = 0;
  in_begin_ = 0;
  in_end_ = 0;
  drained_ = false;
}

void Connection::queue(std::span<const std::byte> bytes) {
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
    if (out_.capacity() > buffer_bytes_kept) out_.shrink_to_fit();
  } else if (out_begin_ > out_.size() / 2) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_begin_));
    out_begin_ = 0;
  }
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

Result<void> Connection::flush() {
  if (unwritten() == 0) return {};
  std::array pieces{piece(std::span{out_}.subspan(out_begin_))};
  const auto written = write_pieces(fd_, pieces);
  if (!written) return written.error();
  out_begin_ += *written;
  return {};
}

Result<std::span<const std::byte>> Connection::send(
    std::span<const std::byte> head, std::span<const std::byte> payload) {
  const auto waiting = std::span{out_}.subspan(out_begin_);
  std::array pieces{piece(waiting), piece(head), piece(payload)};
  const auto written = write_pieces(fd_, pieces);
  if (!written) return written.error();
  if (*written >= waiting.size() + head.size()) {
    out_begin_ = out_.size();
    return payload.subspan(*written - waiting.size() - head.size());
  }
  const auto of_waiting = std::min(*written, waiting.size());
  out_begin_ += of_waiting;
  queue(head.subspan(*written - of_waiting));
  queue(payload);
  return std::span<const std::byte>{};
}

Result<Connection::Reading> Connection::read() {
  make_room();
  const auto room = in_size_ - in_end_;
  for (;;) {
    const auto count = ::recv(fd_, in_.get() + in_end_, room, 0);
    if (count > 0) {
      in_end_ += static_cast<std::size_t>(count);
      drained_ = static_cast<std::size_t>(count) < room;
      return Reading::some;
    }
    if (count == 0) return Reading::ended;
    if (would_block(errno)) {
      drained_ = true;
      return Reading::nothing;
    }
    if (errno != EINTR) return lost("reading", errno);
  }
}

// Room for a large read behind what is there. A buffer that a frame has filled doubles: it
// grows with the bytes that arrived, never with those that were announced.
void Connection::make_room() {
  if (in_begin_ == in_end_) {
    in_begin_ = 0;
    in_end_ = 0;
    if (in_size_ > buffer_bytes_kept) grow(read_bytes);
  }
  if (in_size_ == 0) grow(read_bytes);
  if (in_size_ - in_end_ >= in_size_ / 2) return;
  if (in_end_ - in_begin_ > in_size_ / 2) {
    grow(in_size_ * 2);
  } else if (in_begin_ > 0) {
    std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
}

// Into uninitialised memory, what is there to its beginning.
void Connection::grow(std::size_t size) {
  auto grown = std::make_unique_for_overwrite<std::byte[]>(size);
  const auto filled = unread();
  if (!filled.empty()) std::memcpy(grown.get(), filled.data(), filled.size());
  in_ = std::move(grown);
  in_size_ = size;
  in_end_ = filled.size();
  in_begin_ = 0;
}

bool Connection::has_frame() const {
  const auto bytes = unread();
  const auto length = peek_frame_length(bytes);
  return length && (!is_length(*length) || bytes.size() >= frame_length_bytes + *length);
}

Result<std::optional<std::span<const std::byte>>> Connection::next_frame() {
  using Frame = std::optional<std::span<const std::byte>>;
  const auto bytes = unread();
  const auto length = peek_frame_length(bytes);
  if (!length) return Frame{};
  if (!is_length(*length)) {
    return Error{
        Errc::malformed,
        "the daemon sent a frame of " + std::to_string(*length) +
            " bytes; is it a ringcastd, and no other service, that answers there?"};
  }
  if (bytes.size() < frame_length_bytes + *length) return Frame{};
  in_begin_ += frame_length_bytes + *length;
  return Frame{bytes.subspan(frame_length_bytes, *length)};
}

}  // namespace ringcast
