// SPDX-License-Identifier: Apache-2.0
//
// ClientConnection: the way to one client: its socket, or memory shared with it, when it offers
// some with its first bytes, and its socket for bells. Reads what is there in one call, keeps a
// queue of frames to write and writes many of them in one call. It never waits, and knows of frames
// only where they end: bytes in, buffers out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

#include <asio.hpp>

#include "local/session_memory.hpp"
#include "protocol/base/buffer.hpp"
#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {

class ClientConnection {
 public:
  enum class Kind : std::uint8_t {
    tcp,
    local,         ///< a unix socket
    local_memory,  ///< the same, and memory is accepted from the client
  };
  /// Takes the descriptor over. is_open() tells whether that worked.
  ClientConnection(asio::io_context& io, int descriptor, Kind kind);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ClientConnection(ClientConnection&&) = delete;
  ClientConnection& operator=(ClientConnection&&) = delete;

  struct Read {
    std::size_t count{0};
    bool closed{false};  ///< the client is gone
  };
  /// One read into `space`, without waiting.
  Read read(std::span<std::byte> space);
  /// The client wakes us by the socket when there is more to read. False: there is by now.
  [[nodiscard]] bool sleep() { return !memory_ || (!is_ended_ && memory_->in().sleep()); }

  void enqueue(BufferChain frames);
  struct Written {
    std::size_t count{0};
    bool closed{false};   ///< the client is gone
    bool blocked{false};  ///< the client must read first: wait for it
  };
  /// Writes what the socket takes now, up to a bound.
  Written flush();
  /// Writes all that the socket takes now.
  Written flush_all();
  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  [[nodiscard]] bool is_tcp() const { return kind_ == Kind::tcp; }

  /// True: all goes through memory, and the socket is to be watched for bells.
  [[nodiscard]] bool has_bells() const { return memory_.has_value(); }
  /// Bells rang, or the client closed its end. False: it did, no more will ring.
  bool answer_bells();

  /// Forgets all output but the frame that is half written and the last one.
  void keep_last_words();

  /// When the client's host is gone, reads and writes say so from now on. True: just now.
  bool hang_up_if_lost();

  /// Tells the client that nothing follows, then lets go of the socket.
  void close();

  [[nodiscard]] asio::posix::stream_descriptor& descriptor() { return descriptor_; }

  // Kept by the session server.
  bool waits_write{false};   ///< was blocked; the socket, or a bell, will tell when it is not
  bool waits_read{false};    ///< a bell will tell when there is something to read
  bool watched{false};       ///< for bells
  bool queued_flush{false};  ///< is in the list of those with output

 private:
  class Batch;
  Read read_socket(std::span<std::byte> space);
  Read read_first(std::span<std::byte> space);
  Read read_memory(std::span<std::byte> space);
  Written flush_socket();
  Written flush_memory();
  std::size_t add_to_memory();
  ssize_t write_once();
  void drop_written(std::size_t count);
  void discard_input();

  asio::posix::stream_descriptor descriptor_;
  std::deque<BufferChain> output_;  ///< each one or more whole frames
  std::size_t head_written_{0};     ///< bytes of the first buffer at the head already written
  bool in_frames_{false};           ///< another one was in front of that
  Kind kind_;
  bool began_{false};  ///< something was read, or is to be written
  bool hung_up_{false};
  bool is_ended_{false};  ///< the client closed its end of the socket
  std::optional<SessionMemory> memory_;
};

}  // namespace ringcast
