// SPDX-License-Identifier: Apache-2.0
//
// Participant: one client's part in a run, the same for every system. It introduces itself until
// it has heard everybody, is told when to start, sends and receives for a while of which the
// middle is measured, announces its end and receives until it has everybody's.
//
// Two kinds of load: saturation keeps `window` own messages outstanding; a rate sends by the
// clock, whether or not earlier messages have arrived, and waits only when the system refuses.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "client/adapter.hpp"
#include "client/latencies.hpp"
#include "client/message.hpp"
#include "client/verifier.hpp"

namespace ringcast::bench {

struct Load {
  std::uint32_t participants{1};
  std::uint32_t senders{1};  ///< the first so many ranks send
  std::uint32_t rank{0};
  std::size_t message_bytes{100};
  std::uint64_t window{100};
  double rate{0};  ///< messages a second of all senders together; 0: saturation
  Clock::duration warm_up{std::chrono::seconds(1)};
  Clock::duration measured{std::chrono::seconds(5)};
  Clock::duration patience{std::chrono::seconds(20)};  ///< for what is under way at the end
};

struct Outcome {
  double seconds{0};           ///< measured, exactly
  std::uint64_t delivered{0};  ///< in these seconds
  std::uint64_t sent{0};       ///< in the whole run
  double processor_seconds{0};
  std::uint64_t membership_changes{0};  ///< after the start: false alarms
  Latencies latencies;      ///< of messages of others, or of all when there are no others
  Latencies own_latencies;  ///< of messages that came back
};

class Participant final : public Sink {
 public:
  explicit Participant(const Load& load);

  /// Says hello until it has heard everybody, reports that, and goes on saying hello, for those who
  /// have not heard us yet, until `commands` tells the moment to start.
  Result<Clock::time_point> introduce(Adapter& adapter, int commands);
  Result<Outcome> run(Adapter& adapter, Clock::time_point start);
  [[nodiscard]] const Verifier& verifier() const { return verifier_; }

  void on_message(std::span<const std::byte> message) override;
  void on_members(std::size_t count) override;

 private:
  [[nodiscard]] bool is_sender() const { return load_.rank < load_.senders; }
  Result<bool> send(Adapter& adapter, Kind kind, std::uint64_t number);
  Result<bool> send_saturating(Adapter& adapter);
  Result<bool> send_by_clock(Adapter& adapter, Clock::time_point now);
  Result<void> exchange(Adapter& adapter, Clock::time_point end, bool sending);
  Result<void> drain(Adapter& adapter);
  void begin_measuring();
  void end_measuring();
  void count(const Head& head);

  Load load_;
  Verifier verifier_;
  Outcome outcome_;
  std::vector<std::byte> message_;
  std::set<std::uint32_t> heard_;
  std::uint64_t sent_{0};
  std::uint64_t returned_{0};
  Clock::time_point due_;  ///< the next message, by the clock
  Clock::duration interval_{0};
  std::optional<Clock::time_point> wanted_since_;  ///< when a refused message was first tried
  bool started_{false};
  bool measuring_{false};
  Clock::time_point measuring_since_;
};

/// Sleeps until the adapter has something for us, `other` (-1: none) is readable, or the deadline.
void wait(const Adapter& adapter, int other, Clock::time_point deadline);

}  // namespace ringcast::bench
