// SPDX-License-Identifier: Apache-2.0
//
// SessionMemory: what a client and a daemon on the same host share for one session, a pipe each
// way. The client makes it and passes its descriptor with the first bytes it writes; the daemon
// maps it, says so in it, and from then on all frames go through it, both ways, and the socket
// carries bells only: bytes without a meaning, for the one who sleeps. [SES-18]
//
// The memory cannot shrink (its seals say so, and the daemon looks) and was allocated by the
// client, so that the daemon does not fault in it; unless a client gives pages back on a host that
// has none left and says so at once (vm.overcommit_memory = 2). What it does to its contents can
// only garble its own session: the daemon copies before it looks, and keeps its own positions to
// itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "local/descriptor.hpp"
#include "local/memory_pipe.hpp"

namespace ringcast {

/// Each way: enough for a reader that waits for its turn, and not more than a cache holds.
inline constexpr std::size_t to_client_pipe_bytes = std::size_t{256} << 10U;
inline constexpr std::size_t to_daemon_pipe_bytes = std::size_t{128} << 10U;

class SessionMemory {
 public:
  ~SessionMemory();
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;
  SessionMemory(SessionMemory&& other) noexcept;
  SessionMemory& operator=(SessionMemory&& other) noexcept;

  struct Offer;
  /// For a client. Nothing when the system has none to give: do without.
  static std::optional<Offer> make();
  /// For a daemon: what a client offered. Nothing when it is not what make() makes; the client then
  /// goes on without. REQUIRES: nothing was written to that client yet.
  static std::optional<SessionMemory> accept(const Descriptor& offered);
  /// The daemon has accepted it, before it wrote anything.
  [[nodiscard]] bool accepted() const;

  [[nodiscard]] PipeReader& in() { return in_; }
  [[nodiscard]] PipeWriter& out() { return out_; }

 private:
  struct Layout;
  struct Place;
  struct Mapping {
    std::byte* begin{nullptr};
    std::size_t bytes{0};
  };
  static Mapping map(int descriptor);
  static bool is_ours(int descriptor);
  static Layout& layout(Mapping mapping);
  static Place to_client(Mapping mapping);
  static Place to_daemon(Mapping mapping);
  SessionMemory(Mapping mapping, const Place& in, const Place& out);

  Mapping mapping_;
  PipeReader in_;
  PipeWriter out_;
};

struct SessionMemory::Offer {
  SessionMemory memory;
  Descriptor descriptor;  ///< to be passed to the daemon
};

/// Wakes whoever sleeps at the other end. False: there is nobody any more.
bool ring_bell(int socket);
/// Takes the bells that rang, 64 KiB of them at most. False: there will be no more, the other end
/// is closed.
bool answer_bells(int socket);

}  // namespace ringcast
