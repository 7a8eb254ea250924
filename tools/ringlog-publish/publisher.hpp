// SPDX-License-Identifier: Apache-2.0
//
// Publisher: ringlog-publish without its command line. One thread, one poll loop over stdin,
// the session and the stop signal; followed files are looked at a few times a second. What
// may be forgotten and what is sent again is the Outbox's decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-publish/input.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/pace.hpp"
#include "tools/ringlog-publish/tail_set.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/link.hpp"

namespace ringcast::ringlog {

struct PublisherOptions {
  ClientOptions client;
  std::string group;
  std::string name;                   ///< of the producer, for people
  std::vector<std::string> patterns;  ///< of --tail; none: stdin
  bool once{false};                   ///< with patterns: end at the end of the files
  std::string state_directory;
  std::string spool_directory;  ///< empty: none
  std::uint64_t spool_bytes_max{std::uint64_t{1} << 30U};
  std::uint64_t memory_bytes_max{std::uint64_t{64} << 20U};
  std::uint64_t line_bytes_max{std::uint64_t{64} << 10U};
  std::chrono::milliseconds max_block{100};
  std::chrono::milliseconds flush_timeout{5000};  ///< after SIGTERM
  std::chrono::milliseconds connect_timeout{
      5000};  ///< for the first session, once the input is over
  std::optional<std::chrono::milliseconds> timeout;  ///< once the input is over
  bool json{false};
};

class Publisher {
 public:
  explicit Publisher(PublisherOptions options);

  /// Publishes until the input is over and all has settled, or `stop_fd` is readable.
  tools::ExitCode run(int stop_fd);

 private:
  using Clock = Client::Clock;

  Result<void> open();
  Result<void> open_tails();
  void step();
  void read_input();
  void end_input(Clock::time_point now);
  void leave_input(Clock::time_point now);
  void read_tails();
  void accept_tail(const Record& record, Origin origin);
  void keep_session();
  void send();
  void send_settle();
  bool publish(std::span<const std::byte> payload, std::uint64_t& ticket);
  void refuse(RecordNumber number);
  void receive();
  void on_event(const Event& event);
  void on_configuration(const Configuration& configuration);
  void on_progress(const Message& message);
  void on_confirmation(const Confirmation& confirmation);
  void on_settled(const std::vector<Origin>& origins);
  void end_session(const std::string& reason);
  void housekeeping();
  void wait(int stop_fd);
  [[nodiscard]] Clock::time_point next_deadline();
  [[nodiscard]] std::optional<tools::ExitCode> outcome() const;
  [[nodiscard]] std::optional<Clock::time_point> last_moment() const;
  void begin_stop();
  void offer_set_aside(Clock::time_point now);
  void tell_minority();
  tools::ExitCode finish(tools::ExitCode code);
  std::uint64_t put_away();
  bool leave_tails();
  [[nodiscard]] bool is_incomplete() const;
  void tell(const std::vector<std::string>& notes) const;
  [[nodiscard]] tools::ExitCode summarize() const;

  PublisherOptions options_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<TailSet> tails_;
  std::unique_ptr<Link> link_;
  Pace pace_;
  std::optional<Configuration> configuration_;
  bool told_minority_{false};
  Descriptor state_lock_;

  bool input_over_{false};
  bool input_ready_{false};
  bool input_left_{false};  // not read to its end
  bool tails_wait_{false};  // looked at, not read: the outbox is full
  bool stopping_{false};
  Clock::time_point input_over_at_{};
  Clock::time_point next_tail_{};
  Clock::time_point next_save_{};
  Clock::time_point next_offer_{};  // of what was set aside
  std::optional<Error> fatal_;
  std::uint64_t kept_records_{0};
  std::uint64_t tail_lines_{0};
  std::uint64_t tail_too_long_{0};
  std::uint64_t refused_lines_{0};
};

}  // namespace ringcast::ringlog
