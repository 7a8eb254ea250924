// SPDX-License-Identifier: Apache-2.0
//
// Attempt: one try at a session over all addresses of the daemon. Says which address is next
// and how long it may take, so that one that swallows what is sent to it does not hide the
// others. Opens nothing and reads no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "ringcast/client.hpp"
#include "ringcast/error.hpp"

#include "client/address.hpp"

namespace ringcast {

class Attempt {
 public:
  using Deadline = Client::Deadline;

  /// REQUIRES: at least one.
  void set_addresses(std::vector<Address> addresses) { addresses_ = std::move(addresses); }

  /// Starts with the address tried last: that of the last session, if there was one.
  void begin(Deadline now, std::chrono::milliseconds time) {
    ends_ = now + time;
    left_ = addresses_.size();
    error_ = Error{};
  }
  /// The address failed; false when none is left to try.
  bool failed(const Error& error) {
    if (left_ == addresses_.size() || telling(error.code) > telling(error_.code)) error_ = error;
    if (++current_ == addresses_.size()) current_ = 0;
    return --left_ > 0;
  }
  /// It came to a session, or to an answer that all addresses would give.
  void end() { left_ = 0; }

  [[nodiscard]] bool under_way() const { return left_ > 0; }
  [[nodiscard]] const Address& address() const { return addresses_[current_]; }
  /// When to give this address up: what is left of the time, shared by the addresses left.
  /// REQUIRES: under_way().
  [[nodiscard]] Deadline address_ends(Deadline now) const {
    return now + (ends_ - now) / static_cast<std::ptrdiff_t>(left_);
  }
  /// That of the addresses which failed in the most telling way, the first of equals.
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  /// That a host has no IPv6 says less than a refusal, and a refusal less than silence.
  static int telling(Errc code) {
    if (code == Errc::io) return 0;
    return code == Errc::unreachable ? 1 : 2;
  }

  std::vector<Address> addresses_;
  std::size_t current_{0};
  std::size_t left_{0};  ///< addresses not yet given up in this attempt
  Deadline ends_{};
  Error error_;
};

}  // namespace ringcast
