// SPDX-License-Identifier: Apache-2.0
//
// Connection: the way to the daemon, never blocking: a socket, or memory that both share and a
// socket for bells, when the daemon is on the same host and agrees. Owns the descriptor, the bytes
// that wait to be written and those read and not yet taken as frames. Knows where a frame ends and
// nothing of what it means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sys/uio.h>
#include <vector>

#include "ringcast/result.hpp"

#include "client/address.hpp"
#include "local/session_memory.hpp"

namespace ringcast {

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  enum class Opening : std::uint8_t { done, in_progress, busy };
  /// Begins to connect; in_progress: call finish() when writable; busy: try again shortly.
  /// REQUIRES: not open. Errors: unreachable, io.
  Result<Opening> open(const Address& address);
  /// Errors: unreachable.
  Result<Opening> finish(const Address& address);
  /// Forgets everything that was read or waits to be written.
  void close();
  [[nodiscard]] int fd() const { return fd_; }

  /// Bytes that wait for the daemon to take them.
  [[nodiscard]] std::size_t unwritten() const { return out_.size() - out_begin_; }
  /// They leave when the socket can be written. False: when it can be read, or there are none.
  [[nodiscard]] bool waits_to_write() const { return unwritten() > 0 && !blocked_; }
  /// The daemon takes nothing now; that it does again makes the socket readable, and not writable.
  [[nodiscard]] bool blocked() const { return blocked_; }
  void queue(std::span<const std::byte> bytes);
  /// Writes what the daemon takes now. Errors: io.
  Result<void> flush();
  /// Writes what waits, then head, then payload, as far as the socket takes them. What is left
  /// of the payload is returned, unless what precedes it is left too: then all is queued.
  Result<std::span<const std::byte>> send(
      std::span<const std::byte> head, std::span<const std::byte> payload);

  enum class Reading : std::uint8_t { some, nothing, ended };
  /// Reads once, a large piece. Errors: io.
  Result<Reading> read();
  /// True when the last read took all there was: poll before the next.
  [[nodiscard]] bool drained() const { return drained_; }
  /// Nothing will make the socket readable before the next read.
  [[nodiscard]] bool must_read() const { return memory_ && !drained_; }
  /// True when next_frame() or read() may have something to say that the socket does not tell.
  [[nodiscard]] bool has_frame();
  /// The next whole frame, from its type on; valid until the next one and the next read. Errors:
  /// malformed.
  Result<std::optional<std::span<const std::byte>>> next_frame();

 private:
  Opening opened(const Address& address);
  [[nodiscard]] std::size_t buffered() const { return in_end_ - in_begin_; }
  /// A frame that the pipe cannot hold is put together in the buffer; before its rest there is
  /// nothing else to look at.
  [[nodiscard]] std::span<const std::byte> unread() const {
    if (memory_ && buffered() == 0) return in_pipe_;
    return {in_.get() + in_begin_, buffered()};
  }
  Result<std::size_t> write(std::span<iovec> pieces);
  Result<std::size_t> write_memory(std::span<iovec> pieces);
  Result<Reading> read_socket();
  Result<Reading> read_memory();
  Result<bool> look_into_memory();
  bool buffer_long_frame();
  void give_back();
  bool agree();
  void make_room();
  void grow(std::size_t size);

  int fd_{-1};
  std::vector<std::byte> out_;
  std::size_t out_begin_{0};
  std::unique_ptr<std::byte[]> in_;  ///< [in_begin_, in_end_) is filled
  std::size_t in_size_{0};
  std::size_t in_begin_{0};
  std::size_t in_end_{0};
  bool drained_{false};

  std::optional<SessionMemory::Offer> offer_;  ///< not answered yet
  std::optional<SessionMemory> memory_;        ///< agreed
  std::span<const std::byte> in_pipe_;         ///< what was seen there and not taken as frames
  std::size_t used_{0};                        ///< bytes before those that are not given back yet
  bool blocked_{false};  ///< the pipe is full, and a bell rings, or waits, when it is not
};

}  // namespace ringcast
