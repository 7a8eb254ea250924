// SPDX-License-Identifier: Apache-2.0
#include "daemon/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
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
constexpr std::size_t small_frame_bytes = 1024;
constexpr std::size_t copied_bytes_max = std::size_t{64} << 10U;
constexpr std::size_t flush_bytes_max = std::size_t{4} << 20U;  // then others have their turn

}  // namespace

ClientConnection::ClientConnection(asio::io_context& io, int descriptor, Kind kind)
    : descriptor_(io), kind_(kind) {
  asio::error_code error;
  descriptor_.assign(descriptor, error);
  if (error) (void)::close(descriptor);
}

ClientConnection::~ClientConnection() { close(); }

ClientConnection::Read ClientConnection::read(std::span<std::byte> space) {
  if (memory_) return read_memory(space);
  const bool is_first = !std::exchange(began_, true);
  return is_first && kind_ == Kind::local_memory ? read_first(space) : read_socket(space);
}

namespace {

/// `receive` as recv().
template <class Receive>
ClientConnection::Read read_once(Receive receive) {
  for (;;) {
    const auto count = receive();
    if (count > 0) {
      return ClientConnection::Read{.count = static_cast<std::size_t>(count), .closed = false};
    }
    if (count == 0) return ClientConnection::Read{.count = 0, .closed = true};
    if (errno == EINTR) continue;
    return ClientConnection::Read{.count = 0, .closed = errno != EAGAIN};
  }
}

}  // namespace

ClientConnection::Read ClientConnection::read_socket(std::span<std::byte> space) {
  return read_once([&] {
    return ::recv(descriptor_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
  });
}

/// What came along is taken as an offer of memory; a client whose offer is none goes on without.
ClientConnection::Read ClientConnection::read_first(std::span<std::byte> space) {
  Descriptor offered;
  const auto read = read_once(
      [&] { return receive_with_descriptor(descriptor_.native_handle(), space, offered); });
  if (offered.is_open()) memory_ = SessionMemory::accept(offered);
  return read;
}

ClientConnection::Read ClientConnection::read_memory(std::span<std::byte> space) {
  auto& in = memory_->in();
  const auto readable = in.readable();
  const auto count = std::min(readable.size(), space.size());
  if (count == 0) return Read{.count = 0, .closed = is_ended_ || in.broken()};
  std::memcpy(space.data(), readable.data(), count);
  // A client that is not there to hear it will be found gone by the socket.
  if (in.take(count)) (void)ring_bell(descriptor_.native_handle());
  return Read{.count = count, .closed = false};
}

bool ClientConnection::answer_bells() {
  is_ended_ = is_ended_ || !ringcast::answer_bells(descriptor_.native_handle());
  return !is_ended_;
}

void ClientConnection::enqueue(BufferChain frames) {
  began_ = true;
  if (!frames.empty()) output_.push_back(std::move(frames));
}

ClientConnection::Written ClientConnection::flush() {
  return memory_ ? flush_memory() : flush_socket();
}

ClientConnection::Written ClientConnection::flush_socket() {
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

ClientConnection::Written ClientConnection::flush_memory() {
  auto& out = memory_->out();
  Written written;
  while (!output_.empty() && written.count < flush_bytes_max) {
    const auto count = add_to_memory();
    written.count += count;
    const bool must_ring = count > 0 && out.publish();
    const bool is_there = !is_ended_ && (!must_ring || ring_bell(descriptor_.native_handle()));
    written.closed = !is_there || out.broken();
    written.blocked = !written.closed && count == 0 && out.sleep();
    if (written.closed || written.blocked) break;
  }
  return written;
}

/// Of the frames at the head of the queue, what there is room for, up to about as much as the
/// client should not have to wait for.
std::size_t ClientConnection::add_to_memory() {
  constexpr std::size_t enough = to_client_pipe_bytes / 8;
  std::size_t added = 0;
  while (!output_.empty() && added < enough) {
    const auto rest = output_.front().front().bytes().subspan(head_written_);
    const auto count = memory_->out().add(rest);
    added += count;
    drop_written(count);
    if (count < rest.size()) break;
  }
  return added;
}

/// Small frames are laid side by side: copying them costs less than a vector each, and a call
/// takes many more of them.
class ClientConnection::Batch {
 public:
  /// False when it is full.
  bool add(std::span<const std::byte> frame) {
    if (total_ >= write_bytes_max) return false;
    const bool is_small = frame.size() <= small_frame_bytes;
    if (is_small && copied_ + frame.size() > space_.size()) return false;
    const bool follows = is_small && in_copies_;
    if (!follows && used_ == vectors_max) return false;
    const auto* const begin = is_small ? space_.data() + copied_ : frame.data();
    if (is_small) {
      std::copy(frame.begin(), frame.end(), space_.begin() + static_cast<std::ptrdiff_t>(copied_));
      copied_ += frame.size();
    }
    if (follows) {
      vectors_[used_ - 1].iov_len += frame.size();
    } else {
      vectors_[used_++] = iovec{.iov_base = const_cast<std::byte*>(begin), .iov_len = frame.size()};
    }
    in_copies_ = is_small;
    total_ += frame.size();
    return true;
  }

  ssize_t send(int descriptor) {
    msghdr header{};
    header.msg_iov = vectors_.data();
    header.msg_iovlen = used_;
    return ::sendmsg(descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

 private:
  /// Of the thread: what is laid here is sent at once.
  static std::array<std::byte, copied_bytes_max>& thread_space() {
    thread_local std::array<std::byte, copied_bytes_max> space;
    return space;
  }

  std::array<std::byte, copied_bytes_max>& space_{thread_space()};
  std::array<iovec, vectors_max> vectors_{};
  std::size_t used_{0};
  std::size_t copied_{0};
  std::size_t total_{0};
  bool in_copies_{false};  ///< the last vector ends where the next copy goes
};

/// One system call for the frames at the head of the queue; as sendmsg returns.
ssize_t ClientConnection::write_once() {
  Batch batch;
  std::size_t skipped = head_written_;
  const auto add = [&](const BufferRef& bytes) {
    return batch.add(bytes.bytes().subspan(std::exchange(skipped, 0)));
  };
  for (const auto& frames : output_) {
    const auto behind = frames.rest();
    if (!add(frames.front()) || !std::all_of(behind.begin(), behind.end(), add)) break;
  }
  return batch.send(descriptor_.native_handle());
}

void ClientConnection::drop_written(std::size_t count) {
  head_written_ += count;
  while (!output_.empty() && head_written_ >= output_.front().front().size()) {
    auto& frames = output_.front();
    head_written_ -= frames.front().size();
    in_frames_ = !frames.is_one_piece();
    if (in_frames_) {
      frames.pop_front();
    } else {
      output_.pop_front();
    }
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
  const bool is_begun = head_written_ > 0 || in_frames_;
  const std::size_t kept = is_begun ? 2 : 1;
  if (output_.size() <= kept) return;
  output_.erase(std::next(output_.begin(), is_begun ? 1 : 0), std::prev(output_.end()));
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
  if (is_tcp()) discard_input();
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
