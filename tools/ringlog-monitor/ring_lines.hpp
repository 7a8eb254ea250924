// SPDX-License-Identifier: Apache-2.0
//
// RingLines: the log lines in messages of a group, each once. Publishers send again what they
// are not sure of, under the same names (producer and sequence number); what was seen is kept
// as ranges, for so many producers as fit. Lines that were delivered elsewhere, while the network
// was cut, come in a writer's offer when it has healed.
#pragma once

#include <cstdint>
#include <list>
#include <map>

#include "ringcast/message.hpp"

#include "tools/ringlog-monitor/line_sink.hpp"
#include "tools/ringlog/producer.hpp"
#include "tools/ringlog/range_set.hpp"
#include "tools/ringlog/record.hpp"

namespace ringcast::monitor {

class RingLines {
 public:
  /// The producer not heard for longest is forgotten when another one comes.
  static constexpr std::size_t producers_max = 10000;

  struct Counters {
    std::uint64_t records{0};
    std::uint64_t duplicates{0};  ///< lines that had been counted
    /// Lines that should have come, by the numbers before and after them: published while there
    /// was no session, or not delivered to it.
    std::uint64_t missed{0};
    std::uint64_t foreign{0};    ///< messages that are no log records
    std::uint64_t malformed{0};  ///< log records that cannot be read
  };

  void take(const Message& message, LineSink& sink, Instant now);
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Producer {
    ringlog::ProducerId id;
    std::uint64_t first{0};  // of the first record that came; what was before is not missed
    ringlog::RangeSet seen;
    std::uint32_t holes{0};  // that were made; bounds the ranges
  };

  /// Lines that a writer had set aside, without a majority, and that all write now.
  void take_offer(const Message& message, LineSink& sink, Instant now);
  /// REQUIRES: not Settle.
  void add(const ringlog::Record& record, const Origin& origin, LineSink& sink, Instant now);
  /// The parts of the range that are new.
  std::vector<ringlog::Range> note(const ringlog::ProducerId& id, ringlog::Range range);

  std::list<Producer> producers_;  // the one not heard for longest first
  std::map<ringlog::ProducerId, std::list<Producer>::iterator> index_;
  Counters counters_;
};

}  // namespace ringcast::monitor
