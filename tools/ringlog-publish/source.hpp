// SPDX-License-Identifier: Apache-2.0
//
// Source: where lines come from. A source reads when the publisher's loop calls it, hands
// records to the Intake, and hears which of its records have settled. It never waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

#include "ringcast/error.hpp"

#include "tools/ringlog-publish/outgoing_record.hpp"

namespace ringcast::ringlog {

struct SourceCounters {
  std::uint64_t lines{0};     ///< handed on
  std::uint64_t dropped{0};   ///< for want of room
  std::uint64_t too_long{0};  ///< only their length was handed on
  // Of syslog.
  std::uint64_t invalid{0};         ///< messages against every format; handed on as they are
  std::uint64_t suspected_cuts{0};  ///< messages of a length at which their sender seems to cut
  std::uint64_t overflowed{0};      ///< dropped by the kernel, whose buffer was full
};

class Source {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  Source(Source&&) = delete;
  Source& operator=(Source&&) = delete;

  /// Adds what to poll for before the next read().
  virtual void watch(std::vector<pollfd>& fds, Instant now) = 0;
  /// When to call read() at the latest, whatever poll says.
  [[nodiscard]] virtual std::optional<Instant> wake_up(Instant now) const = 0;
  /// Reads what is there, or a slice of it.
  virtual void read(Instant now) = 0;
  /// The program is to end: what is here already is read, nothing more is awaited.
  virtual void stop(Instant now) = 0;
  /// Nothing more comes.
  [[nodiscard]] virtual bool is_over() const = 0;
  /// For records of others too: those it does not know it ignores.
  virtual void on_settled(const Origin& origin) = 0;
  /// Called a few times a second: remembers how far all is.
  virtual void save(Instant now) = 0;
  /// The program ends now. False: how far all is could not be saved.
  virtual bool leave(Instant now) = 0;

  [[nodiscard]] virtual SourceCounters counters() const = 0;
  /// Lines were lost, or not read although they were asked for.
  [[nodiscard]] virtual bool is_incomplete() const = 0;
  /// Why going on is pointless.
  [[nodiscard]] virtual std::optional<Error> fatal() const { return std::nullopt; }
  /// Sentences for the operator since the last call.
  virtual std::vector<std::string> notes() = 0;
};

}  // namespace ringcast::ringlog
