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
constexpr std::size_t small_frame_bytes = 1024;
constexpr std::size_t copied_bytes_max = std::size_t{64} << 10U;
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

void ClientConnection::enqueue(ClientFrames frames) {
  const bool is_whole = frames.payload.empty();
  if (!frames.bytes.empty()) output_.push_back(Piece{std::move(frames.bytes), is_whole});
  if (!is_whole) output_.push_back(Piece{std::move(frames.payload), true});
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
  for (const auto& piece : output_) {
    if (!batch.add(piece.bytes.bytes().subspan(std::exchange(skipped, 0)))) break;
  }
  return batch.send(descriptor_.native_handle());
}

void ClientConnection::drop_written(std::size_t count) {
  head_written_ += count;
  while (!output_.empty() && head_written_ >= output_.front().bytes.size()) {
    head_written_ -= output_.front().bytes.size();
    in_frame_ = !output_.front().ends_frame;
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
  const auto ends = [](const Piece& piece) { return piece.ends_frame; };
  auto first = output_.begin();
  if (head_written_ > 0 || in_frame_) {
    first = std::find_if(output_.begin(), output_.end(), ends);
    if (first != output_.end()) ++first;
  }
  if (first == output_.end()) return;
  const auto before_last = std::find_if(std::next(output_.rbegin()), output_.rend(), ends);
  const auto last = before_last.base();
  if (first < last) output_.erase(first, last);
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
