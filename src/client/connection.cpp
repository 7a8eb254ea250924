// SPDX-License-Identifier: Apache-2.0
#include "client/connection.hpp"

#include <algorithm>
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
// So often the daemon hears that there is room again.
constexpr std::size_t used_bytes_max = to_client_pipe_bytes / 8;

bool is_length(std::uint32_t length) { return length > 0 && length <= server_frame_bytes_max; }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

Error lost(std::string_view doing, int error) {
  return Error{
      Errc::io,
      "connection to the daemon lost while " + std::string(doing) + ": " +
          std::system_category().message(error)};
}

Error broken_memory() {
  return Error{
      Errc::malformed,
      "the memory shared with the daemon holds positions that cannot be; has another program, or a "
      "part of this one, written there?"};
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

ssize_t send(int fd, std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

/// The bytes the socket took, 0 when it takes none now. Errors: io.
Result<std::size_t> write_pieces(int fd, std::span<iovec> pieces, const Descriptor* passed) {
  for (;;) {
    const auto count =
        passed != nullptr ? send_with_descriptor(fd, pieces, passed->number()) : send(fd, pieces);
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
Connection::Opening Connection::opened(const Address& address) {
  if (address.family() == AF_UNIX) {
    offer_ = SessionMemory::make();
  } else {
    tune_tcp(fd_);
  }
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
  offer_.reset();
  memory_.reset();
  in_pipe_ = {};
  used_ = 0;
  blocked_ = false;
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

Result<std::size_t> Connection::write(std::span<iovec> pieces) {
  if (memory_) return write_memory(pieces);
  const bool passes = offer_ && offer_->descriptor.is_open();
  auto written = write_pieces(fd_, pieces, passes ? &offer_->descriptor : nullptr);
  if (passes && !written) {  // too many descriptors are under way, or a policy forbids it
    offer_.reset();
    written = write_pieces(fd_, pieces, nullptr);
  }
  if (offer_ && written && *written > 0) offer_->descriptor = Descriptor{};
  return written;
}

Result<std::size_t> Connection::write_memory(std::span<iovec> pieces) {
  auto& out = memory_->out();
  std::size_t written = 0;
  for (;;) {
    const auto before = written;
    while (!pieces.empty()) {
      auto& piece = pieces.front();
      const auto count = out.add({static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
      written += count;
      piece.iov_base = static_cast<std::byte*>(piece.iov_base) + count;
      piece.iov_len -= count;
      if (piece.iov_len > 0) break;
      pieces = pieces.subspan(1);
    }
    const bool must_ring = written > before && out.publish();
    if (must_ring && !ring_bell(fd_)) return lost("writing", EPIPE);
    if (out.broken()) return broken_memory();
    blocked_ = !pieces.empty() && out.sleep();
    if (pieces.empty() || blocked_) return written;
  }
}

Result<void> Connection::flush() {
  if (unwritten() == 0) return {};
  std::array pieces{piece(std::span{out_}.subspan(out_begin_))};
  const auto written = write(pieces);
  if (!written) return written.error();
  out_begin_ += *written;
  return {};
}

Result<std::span<const std::byte>> Connection::send(
    std::span<const std::byte> head, std::span<const std::byte> payload) {
  const auto waiting = std::span{out_}.subspan(out_begin_);
  std::array pieces{piece(waiting), piece(head), piece(payload)};
  const auto written = write(pieces);
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

Result<Connection::Reading> Connection::read() { return memory_ ? read_memory() : read_socket(); }

Result<Connection::Reading> Connection::read_socket() {
  if (offer_) {
    if (!agree()) {
      drained_ = true;
      return Reading::nothing;
    }
    if (memory_) return read_memory();
  }
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

/// False: nothing has come that tells. The first bytes from the daemon are frames when it did not
/// accept what was offered before it wrote them, and bells when it did [SES-18]; so they are not
/// read before that is known. Bells are left where they are: until a read finds nothing, the socket
/// is to be readable.
bool Connection::agree() {
  std::byte first{};
  const auto count = ::recv(fd_, &first, sizeof(first), MSG_PEEK);
  if (count < 0 && (would_block(errno) || errno == EINTR)) return false;
  if (count > 0 && offer_->memory.accepted()) memory_ = std::move(offer_->memory);
  offer_.reset();
  return true;
}

Result<Connection::Reading> Connection::read_memory() {
  drained_ = false;
  auto looked = look_into_memory();
  if (!looked) return looked.error();
  if (*looked) return Reading::some;
  const bool is_open = answer_bells(fd_);
  // One of them may have rung for the writer, who then has something to do, as if it were to read.
  const bool was_blocked = blocked_;
  if (blocked_) blocked_ = memory_->out().sleep();
  // Now all is there that was written before the other end was closed, and falling asleep looks
  // once more.
  const bool sleeps = is_open && memory_->in().sleep(used_ + in_pipe_.size());
  if (!sleeps) looked = look_into_memory();
  if (!looked) return looked.error();
  if (*looked) return Reading::some;
  drained_ = was_blocked == blocked_;
  return is_open ? Reading::nothing : Reading::ended;
}

/// True when there is more than before.
Result<bool> Connection::look_into_memory() {
  give_back();
  const auto seen = in_pipe_.size();
  in_pipe_ = memory_->in().readable();
  if (memory_->in().broken()) return broken_memory();
  const bool more = in_pipe_.size() > seen;
  return buffer_long_frame() || more;
}

/// One that leaves less than half of the pipe to its writer would never be whole there.
bool Connection::buffer_long_frame() {
  const auto length = peek_frame_length(unread());
  if (!length || !is_length(*length)) return false;
  const auto size = frame_length_bytes + *length;
  if (buffered() == 0 && size <= to_client_pipe_bytes / 2) return false;
  auto moving = in_pipe_.first(std::min(size - buffered(), in_pipe_.size()));
  if (moving.empty()) return false;
  in_pipe_ = in_pipe_.subspan(moving.size());
  used_ += moving.size();
  while (!moving.empty()) {
    make_room();
    const auto part = moving.first(std::min(moving.size(), in_size_ - in_end_));
    std::memcpy(in_.get() + in_end_, part.data(), part.size());
    in_end_ += part.size();
    moving = moving.subspan(part.size());
  }
  give_back();
  return true;
}

void Connection::give_back() {
  if (used_ == 0) return;
  // Nobody there to hear it: the next read says so.
  if (memory_->in().take(std::exchange(used_, 0))) (void)ring_bell(fd_);
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
  const std::span<const std::byte> filled{in_.get() + in_begin_, buffered()};
  if (!filled.empty()) std::memcpy(grown.get(), filled.data(), filled.size());
  in_ = std::move(grown);
  in_size_ = size;
  in_end_ = filled.size();
  in_begin_ = 0;
}

bool Connection::has_frame() {
  const auto bytes = unread();
  const auto length = peek_frame_length(bytes);
  const bool has_whole =
      length && (!is_length(*length) || bytes.size() >= frame_length_bytes + *length);
  if (has_whole || !memory_) return has_whole;
  // What the daemon waits for must not wait for us.
  give_back();
  return buffer_long_frame() || !memory_->in().sleep(in_pipe_.size());
}

Result<std::optional<std::span<const std::byte>>> Connection::next_frame() {
  using Frame = std::optional<std::span<const std::byte>>;
  if (used_ >= used_bytes_max) give_back();
  const auto bytes = unread();
  const auto length = peek_frame_length(bytes);
  if (!length) return Frame{};
  if (!is_length(*length)) {
    return Error{
        Errc::malformed,
        "the daemon sent a frame of " + std::to_string(*length) +
            " bytes; is it a ringcastd, and no other service, that answers there?"};
  }
  const auto size = frame_length_bytes + *length;
  if (bytes.size() < size) return Frame{};
  if (buffered() > 0) {
    in_begin_ += size;
  } else {
    in_pipe_ = in_pipe_.subspan(size);
    used_ += size;
  }
  return Frame{bytes.subspan(frame_length_bytes, *length)};
}

}  // namespace ringcast
