// SPDX-License-Identifier: Apache-2.0
//
// Publisher: ringlog-publish without its command line. One thread, one poll loop over the
// sources of lines, the session and the stop signal. What may be forgotten and what is sent again
// is the Outbox's decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-publish/filter.hpp"
#include "tools/ringlog-publish/input.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/pace.hpp"
#include "tools/ringlog-publish/source.hpp"
#include "tools/ringlog/link.hpp"

namespace ringcast::ringlog {

struct PublisherOptions {
  std::vector<ClientOptions> daemons;  ///< the first that answers; not empty
  std::string group;
  std::string name;                   ///< of the producer, for people
  std::vector<std::string> patterns;  ///< of --tail; nothing to follow or to listen to: stdin
  bool once{false};                   ///< with patterns: end at the end of the files
  std::vector<std::string> syslog;    ///< addresses to listen at, see parse_syslog_address()
  bool syslog_keep{false};            ///< send whole messages, not their text alone
  bool journal{false};
  std::string journal_directory;  ///< empty: this host's; else it alone means journal
  std::vector<std::string> journal_matches;
  std::string state_directory;
  FilterOptions filter;
  std::string spool_directory;  ///< empty: none
  std::uint64_t spool_bytes_max{std::uint64_t{1} << 30U};
  std::optional<std::chrono::milliseconds> spool_age_max;
  std::uint64_t memory_bytes_max{std::uint64_t{64} << 20U};
  std::uint64_t line_bytes_max{std::uint64_t{64} << 10U};
  WhenFull when_full{WhenFull::block_then_drop_newest};
  std::chrono::milliseconds max_block{100};
  std::chrono::milliseconds linger{100};
  int packing_level{0};                           ///< of zstd; 0: not packed
  std::size_t writers_required{0};                ///< that must have synced a line
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
  Result<void> open_intake();
  Result<void> open_sources();
  Result<void> open_tails();
  Result<void> open_syslog();
  Result<void> open_journal_source();
  [[nodiscard]] Input::Options entry_options() const;
  void step();
  void read_sources();
  void keep_session();
  void send();
  void send_settle();
  /// The next batch will settle what was sent, if it comes soon: until when to wait for it.
  [[nodiscard]] std::optional<Clock::time_point> settle_due() const;
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
  void drop_aged(Clock::time_point now);
  void wait(int stop_fd);
  [[nodiscard]] std::optional<Clock::time_point> calm_until(Clock::time_point now) const;
  [[nodiscard]] Clock::time_point next_deadline();
  [[nodiscard]] std::optional<tools::ExitCode> outcome() const;
  [[nodiscard]] std::optional<Clock::time_point> last_moment() const;
  void begin_stop();
  void offer_set_aside(Clock::time_point now);
  void tell_minority();
  void tell_writers();
  tools::ExitCode finish(tools::ExitCode code);
  std::uint64_t put_away();
  bool leave_sources();
  [[nodiscard]] bool is_incomplete() const;
  [[nodiscard]] SourceCounters counters() const;
  void tell(const std::vector<std::string>& notes) const;
  [[nodiscard]] tools::ExitCode summarize() const;

  PublisherOptions options_;
  std::unique_ptr<Intake> intake_;
  std::optional<Filter> filter_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<Link> link_;
  Pace pace_;
  std::optional<Configuration> configuration_;
  bool told_minority_{false};
  bool told_writers_{false};

  bool input_over_{false};
  bool stopping_{false};
  Clock::time_point input_over_at_{};
  Clock::time_point sent_at_{};  // a record, the last time
  Clock::time_point next_save_{};
  Clock::time_point next_offer_{};  // of what was set aside
  Clock::time_point next_ageing_{};
  std::vector<pollfd> fds_;
  std::optional<Error> fatal_;
  std::uint64_t kept_records_{0};
  std::uint64_t refused_lines_{0};
};

}  // namespace ringcast::ringlog
