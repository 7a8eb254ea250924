// SPDX-License-Identifier: Apache-2.0
//
// Replay: prints lines of old out of a writer's file, asked for through the group's daemons,
// and goes on with new ones if that is wanted. How far it is it knows as a place by chain; so
// it takes the next part from any writer, after any break, without a gap and without a double.
// The lines it prints stand in the file already: it is as live as the file is. What was asked for
// and no writer keeps any more is a gap, marked at its place.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-write/history_message.hpp"

namespace ringcast::ringlog {

struct ReplayOptions {
  ClientOptions client;
  std::string group;
  HistoryPlace from{FromLine{1}};
  std::optional<std::uint64_t> to_line;      ///< the last one
  std::optional<std::int64_t> to_time_ms;    ///< no write that began later
  std::optional<Position> to_position;       ///< no write whose last record comes later
  bool follow{false};                        ///< wait for new lines at the end
  bool data_only{false};                     ///< leave out markers
  std::chrono::milliseconds timeout{10000};  ///< without an answer of any writer
};

class Replay {
 public:
  Replay(ReplayOptions options, int output_fd);

  /// Until all is printed, or `stop_fd` is readable.
  tools::ExitCode run(int stop_fd);

 private:
  using Clock = Client::Clock;
  enum class Answer { more, end, none, stopped };

  /// Asks one writer after the other, until one has served.
  Answer ask(int stop_fd);
  Answer ask(const std::string& writer, int stop_fd);
  [[nodiscard]] HistoryRequest request();
  Answer take(const HistoryReply& reply);
  /// What stood in front of `begins` and was wanted is not kept any more.
  void tell_unkept(const HistoryReply& reply);
  /// False when it is over: a limit was reached, or nobody reads.
  bool print(const FileEntry& entry, std::string_view data);
  bool connect();
  /// Waits for something to receive; true when it is to stop.
  bool wait(int stop_fd, Clock::time_point deadline);
  tools::ExitCode finish();
  tools::ExitCode end();
  [[nodiscard]] tools::ExitCode give_up() const;

  ReplayOptions options_;
  tools::Output output_;
  std::optional<Client> client_;
  std::optional<FilePoint> here_;  // behind what was printed
  std::uint64_t id_{0};
  std::uint64_t unkept_lines_{0};  // that were asked for
  bool is_over_{false};
  std::string trouble_;  // why no writer has answered
  std::optional<Error> connect_error_;
};

}  // namespace ringcast::ringlog
