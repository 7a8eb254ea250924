// SPDX-License-Identifier: Apache-2.0
//
// replay's command line, then a Replay.
#include "tools/ringlog-write/replay_command.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <string>
#include <unistd.h>
#include <utility>

#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-write/replay.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

constexpr auto example =
    "Example: ringlog-write replay --group weblogs --from-time 2026-01-02T03:00:00Z --follow\n"
    "Times and positions are those of the writers' writes, several lines each; lines are exact.\n"
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 cannot reach the daemon, 4 no "
    "writer answers.";

template <class T>
bool take_number(std::string_view& text, T& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

bool take_mark(std::string_view& text, char mark) {
  if (text.empty() || text.front() != mark) return false;
  text.remove_prefix(1);
  return true;
}

// A CLI11 option that takes what `parse` makes of its word.
template <class Parse, class Take>
CLI::Option* add_parsed(
    CLI::App& app, const std::string& name, Parse parse, Take take, const std::string& help) {
  return app.add_option_function<std::string>(
      name,
      [name, parse, take](const std::string& text) {
        auto value = parse(text);
        if (!value) throw CLI::ValidationError(name + ": " + value.error().message);  // its way
        take(std::move(value).value());
      },
      help);
}

void add_places(CLI::App& app, ReplayOptions& options, std::uint64_t& from_line) {
  auto* const line = app.add_option("--from-line", from_line, "The first line, from 1 (default)")
                         ->check(CLI::PositiveNumber);
  auto* const time = add_parsed(
      app,
      "--from-time",
      parse_time,
      [&options](std::int64_t value) { options.from = FromTime{value}; },
      "From the first write not before: 2026-01-02T03:04:05Z, or @SECONDS");
  auto* const position = add_parsed(
      app,
      "--from-position",
      parse_position,
      [&options](Position value) { options.from = FromPosition{std::move(value)}; },
      "From the first write that goes beyond CONFIGURATION/SEQ/INDEX");
  time->excludes(line);
  position->excludes(line)->excludes(time);
  app.add_option("--to-line", options.to_line, "The last line")->check(CLI::PositiveNumber);
  add_parsed(
      app,
      "--to-time",
      parse_time,
      [&options](std::int64_t value) { options.to_time_ms = value; },
      "To the last write that began not after");
  add_parsed(
      app,
      "--to-position",
      parse_position,
      [&options](Position value) { options.to_position = std::move(value); },
      "To the last write that does not go beyond");
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view text) {
  const Error error{
      Errc::invalid_argument,
      "\"" + std::string(text) + "\" must be a time such as 2026-01-02T03:04:05Z or @1767323045"};
  std::int64_t seconds = 0;
  auto rest = text;
  if (take_mark(rest, '@')) {
    constexpr std::int64_t seconds_max = std::int64_t{1} << 40U;
    const bool is_good = take_number(rest, seconds) && rest.empty() && seconds >= 0;
    if (!is_good || seconds > seconds_max) return error;
    return seconds * 1000;
  }
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  const bool is_read = take_number(rest, year) && take_mark(rest, '-') &&
                       take_number(rest, month) && take_mark(rest, '-') && take_number(rest, day) &&
                       take_mark(rest, 'T') && take_number(rest, hour) && take_mark(rest, ':') &&
                       take_number(rest, minute) && take_mark(rest, ':') &&
                       take_number(rest, second) && take_mark(rest, 'Z') && rest.empty();
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!is_read || !date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 60) {
    return error;
  }
  const std::chrono::sys_seconds at = std::chrono::sys_days{date} + std::chrono::hours{hour} +
                                      std::chrono::minutes{minute} + std::chrono::seconds{second};
  return std::int64_t{at.time_since_epoch().count()} * 1000;
}

Result<Position> parse_position(std::string_view text) {
  const Error error{
      Errc::invalid_argument,
      "\"" + std::string(text) +
          "\" must be a position such as 17.web1.5f0c9a31/4211/3, as pending files and "
          "ringcast subscribe --json have it"};
  const auto slash = text.find('/');
  auto configuration = parse_configuration_id(text.substr(0, slash));
  if (slash == std::string_view::npos || !configuration) return error;
  Position position;
  position.configuration = std::move(configuration).value();
  auto rest = text.substr(slash + 1);
  const bool is_read = take_number(rest, position.seq) && take_mark(rest, '/') &&
                       take_number(rest, position.index) && rest.empty();
  if (!is_read) return error;
  return position;
}

int replay_command(int argc, char** argv) {
  ReplayOptions options;
  std::uint64_t from_line = 0;
  CLI::App app("Prints lines out of a writer's file, from a place on.", "ringlog-write replay");
  app.footer(example);
  app.add_option("--group", options.group, "The group whose lines are printed")
      ->required()
      ->check(log_group);
  add_client_options(app, options.client);
  add_places(app, options, from_line);
  app.add_flag("--follow", options.follow, "At the end wait for new lines");
  app.add_flag("--data-only", options.data_only, "Leave out #ringlog- marker lines");
  add_duration(
      app, "--timeout", options.timeout, "Exit 3 or 4 when no daemon or writer answers (10s)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_code_of(app, error);
  }
  if (from_line > 0) options.from = FromLine{from_line};
  options.client.connect_timeout = options.timeout;
  const tools::StopSignal stop;
  Replay replay(std::move(options), STDOUT_FILENO);
  return static_cast<int>(replay.run(stop.fd()));
}

}  // namespace ringcast::ringlog
