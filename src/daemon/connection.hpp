// SPDX-License-Identifier: Apache-2.0
//
// ClientConnection: one client's socket. Reads what is there in one call, keeps a queue of frames
// to write and writes many of them in one call. It never waits, and knows of frames only where they
// end: bytes in, buffers out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <sys/types.h>

#include <asio.hpp>

#include "protocol/base/buffer.hpp"
#include "protocol/base/client_frames.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {

class ClientConnection {
 public:
  /// Takes the descriptor over. is_open() tells whether that worked.
  ClientConnection(asio::io_context& io, int descriptor, bool tcp);
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

  void enqueue(ClientFrames frames);
  struct Written {
    std::size_t count{0};
    bool closed{false};   ///< the client is gone
    bool blocked{false};  ///< the socket is full: wait for it
  };
  /// Writes what the socket takes now, up to a bound.
  Written flush();
  /// Writes all that the socket takes now.
  Written flush_all();
  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  [[nodiscard]] bool is_tcp() const { return tcp_; }

  /// Forgets all output but the frame that is half written and the last one.
  void keep_last_words();

  /// When the client's host is gone, reads and writes say so from now on. True: just now.
  bool hang_up_if_lost();

  /// Tells the client that nothing follows, then lets go of the socket.
  void close();

  [[nodiscard]] asio::posix::stream_descriptor& descriptor() { return descriptor_; }

  // Kept by the session server.
  bool waits_write{false};   ///< the socket was full; it will tell when it is not
  bool queued_flush{false};  ///< is in the list of those with output

 private:
  class Batch;
  ssize_t write_once();
  void drop_written(std::size_t count);
  void discard_input();

  struct Piece {
    BufferRef bytes;
    bool ends_frame;
  };

  asio::posix::stream_descriptor descriptor_;
  std::deque<Piece> output_;
  std::size_t head_written_{0};  ///< bytes of output_.front() already written
  bool in_frame_{false};         ///< of the frame at the head something was written already
  bool tcp_{false};
  bool hung_up_{false};
};

}  // namespace ringcast
