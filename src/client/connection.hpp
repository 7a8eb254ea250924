// SPDX-License-Identifier: Apache-2.0
//
// Connection: the socket to the daemon, never blocking. Owns the descriptor, the bytes that
// wait to be written and those read and not yet taken as frames. Knows where a frame ends and
// nothing of what it means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ringcast/result.hpp"

#include "client/address.hpp"

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

  /// Bytes that wait for the socket to take them.
  [[nodiscard]] std::size_t unwritten() const { return out_.size() - out_begin_; }
  void queue(std::span<const std::byte> bytes);
  /// Writes what the socket takes now. Errors: io.
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
  /// True when next_frame() has something to say.
  [[nodiscard]] bool has_frame() const;
  /// The next whole frame, from its type on; valid until the next read. Errors: malformed.
  Result<std::optional<std::span<const std::byte>>> next_frame();

 private:
  [[nodiscard]] Opening opened(const Address& address) const;
  [[nodiscard]] std::span<const std::byte> unread() const {
    return {in_.get() + in_begin_, in_end_ - in_begin_};
  }
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
};

}  // namespace ringcast
