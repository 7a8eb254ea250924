// SPDX-License-Identifier: Apache-2.0
//
// Error: what went wrong, as a code for programs and a sentence for people.
// The sentence says what happened, where, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringcast {

/// Why an operation failed. Stable values: they travel between daemon and client.
enum class Errc : std::uint16_t {
  invalid_argument = 1,     ///< a name, size or option outside its documented limits
  malformed = 2,            ///< bytes that do not follow the documented format
  unsupported_version = 3,  ///< the peer speaks no protocol version we speak
  name_in_use = 4,          ///< the private name belongs to another live session of this daemon
  too_large = 5,            ///< the message is longer than the daemon's limit
  would_block = 6,          ///< nothing can be done now without waiting
  timed_out = 7,            ///< the deadline passed
  unreachable = 8,          ///< no daemon answers at the address
  closed = 9,               ///< the session is over; the message says why
  inbox_full = 10,          ///< the client must receive() before it can go on
  not_member = 11,          ///< leave without join
  already_member = 12,      ///< join without leave
  limit_exceeded = 13,      ///< a documented bound was reached
  io = 14,                  ///< the operating system refused; the message has its words
  corrupt = 15,             ///< stored or received data whose checksum does not match
};

/// The enumerator's name, for logs and `--json`.
std::string_view to_string(Errc code);

struct Error {
  Errc code{Errc::invalid_argument};
  std::string message;
};

}  // namespace ringcast
