// SPDX-License-Identifier: Apache-2.0
//
// ringlog-monitor: the command line, then a Monitor.
#include <CLI/CLI.hpp>
#include <cctype>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ringcast/names.hpp"
#include "ringcast/version.hpp"

#include "tools/common/program.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-monitor/monitor.hpp"
#include "tools/ringlog-monitor/web/access.hpp"
#include "tools/ringlog-monitor/web/listen_address.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/options.hpp"

namespace {

using ringcast::monitor::MonitorOptions;
using ringcast::monitor::ServerKey;
using ringcast::monitor::Tab;
using ringcast::monitor::TimeSource;
using ringcast::monitor::WebOptions;
using ringcast::tools::ExitCode;

constexpr auto example =
    "Example: ringlog-monitor --group weblogs\n"
    "         ringlog-monitor --group weblogs --group balancers --json --interval 1m\n"
    "         ringlog-monitor --group weblogs --listen 127.0.0.1:8080 --plain\n"
    "         ringlog-monitor --file access.log --format '%h %l %u %t \"%r\" %>s %b %D'\n"
    "Formats, what the figures mean and how exact they are: docs/logging.md.\n"
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 cannot reach the daemon.";

constexpr int groups_max = 64;
constexpr int formats_max = 16;
constexpr std::chrono::milliseconds interval_min{100};
constexpr std::size_t counters_max = 1'000'000;
constexpr std::size_t servers_max = 10'000;
constexpr std::size_t visits_max = 10'000'000;
constexpr std::size_t clicks_max = 10'000'000;

void add_input_options(CLI::App& app, MonitorOptions& options, std::vector<std::string>& formats) {
  auto* const group = app.add_option("--group", options.groups, "A group of log lines; several")
                          ->expected(1, groups_max)
                          ->check(ringcast::ringlog::log_group);
  auto* const file =
      app.add_option("--file", options.file, "Read this file instead, - is stdin, and end with it")
          ->excludes(group);
  app.add_option(
         "--format",
         formats,
         "common, combined, vhost-combined, haproxy, json, or the string of an Apache LogFormat "
         "or nginx log_format; several are tried in turn (combined, common, haproxy, json)")
      ->expected(1, formats_max)
      ->allow_extra_args(false);
  ringcast::ringlog::add_client_options(app, options.client);
  ringcast::ringlog::add_duration(
      app,
      "--connect-timeout",
      options.connect_timeout,
      "Exit 3 when no daemon answers that long at the start (5s)");
  for (const auto* const name : {"--socket", "--server", "--as", "--connect-timeout"}) {
    app.get_option(name)->excludes(file);
  }
}

void add_figure_options(CLI::App& app, MonitorOptions& options) {
  auto& analysis = options.analysis;
  const std::map<std::string, ServerKey> servers = {
      {"daemon", ServerKey::daemon},
      {"publisher", ServerKey::publisher},
      {"vhost", ServerKey::vhost}};
  app.add_option(
         "--server-by", analysis.server, "What is a server: daemon, publisher or vhost (daemon)")
      ->transform(CLI::CheckedTransformer(servers).description(""))
      ->type_name("WHAT");
  const std::map<std::string, TimeSource> times = {
      {"arrival", TimeSource::arrival}, {"log", TimeSource::log}};
  app.add_option(
         "--time",
         options.time,
         "Rates and visits go by the time of arrival, or by the latest stamp in the log "
         "(arrival; log for a regular file)")
      ->transform(CLI::CheckedTransformer(times).description(""))
      ->type_name("WHAT");
  app.add_option("--counters", analysis.limits.counters, "Keys counted in each table (8192)")
      ->check(CLI::Range(std::size_t{1}, counters_max).description(""));
  app.add_option(
         "--servers-max", analysis.limits.servers, "Servers with figures of their own (256)")
      ->check(CLI::Range(std::size_t{1}, servers_max).description(""));
  app.add_option("--visits-max", analysis.limits.visits, "Visits that can go on at once (65536)")
      ->check(CLI::Range(std::size_t{1}, visits_max).description(""));
  ringcast::ringlog::add_duration(
      app,
      "--visit-timeout",
      analysis.limits.visit_timeout,
      "A visit is over when nothing comes for so long (30m)");
}

void add_alert_options(CLI::App& app, MonitorOptions& options) {
  app.add_option(
         "--alert-factor",
         options.analysis.alerts.factor,
         "A rate so many times the usual one, or that part of it, is an alert (3)")
      ->check(CLI::Range(1.1, 1e6).description(""));
  app.add_option(
         "--alert-min",
         options.analysis.alerts.difference_min,
         "Less difference from the usual rate, per second, is none (1)")
      ->check(CLI::Range(0.0, 1e9).description(""));
  app.add_option(
         "--alert-command",
         options.alert_command,
         "Run by /bin/sh for every alert, which is in $RINGLOG_ALERT and $RINGLOG_ALERT_TEXT")
      ->type_name("COMMAND");
  app.add_option("--alert-group", options.alert_group, "Publish every alert to this group, as JSON")
      ->needs("--group")
      ->check([](const std::string& text) {
        const auto checked = ringcast::check_group(text);
        return checked ? std::string() : checked.error().message;
      });
}

// A group that is named twice is one group.
void drop_repeated(std::vector<std::string>& groups) {
  std::set<std::string> seen;
  std::erase_if(groups, [&](const std::string& group) { return !seen.insert(group).second; });
}

// The first line of the file, which others should not be able to read.
std::string read_token(const std::string& path, WebOptions& web) {
  const auto content = ringcast::ringlog::read_file(path);
  if (!content) return content.error().message;
  if (!content->has_value()) return path + ": there is no such file";
  web.token = (*content)->substr(0, (*content)->find_first_of("\r\n"));
  const auto wrong = ringcast::monitor::check_token(web.token);
  return wrong.empty() ? wrong : path + ": " + wrong;
}

void add_web_options(CLI::App& app, MonitorOptions& options) {
  auto& web = options.web;
  app.add_option(
         "--listen",
         web.listen,
         "Serve a page, JSON and metrics at HOST:PORT, [IPV6]:PORT, or PORT of loopback")
      ->type_name("ADDRESS")
      ->check([](const std::string& text) {
        const auto address = ringcast::monitor::parse_listen_address(text);
        return address ? std::string() : address.error().message;
      });
  auto* const token = app.add_option("--token", web.token, "Show them to who sends this token only")
                          ->needs("--listen")
                          ->check(ringcast::monitor::check_token);
  auto* const file =
      app.add_option_function<std::string>(
             "--token-file",
             [&web](const std::string& path) {
               const auto wrong = read_token(path, web);
               if (!wrong.empty()) throw CLI::ValidationError("--token-file", wrong);
             },
             "The same, with the token in the first line of a file, which nobody sees in ps")
          ->type_name("FILE")
          ->needs("--listen")
          ->excludes(token);
  app.add_flag("--no-token", web.no_token, "Let other hosts see them without a token")
      ->needs("--listen")
      ->excludes(token)
      ->excludes(file);
  app.add_option(
         "--clicks-max",
         options.analysis.limits.clicks,
         "Requests whose way through the pages is kept, 64 of a visitor (65536)")
      ->needs("--listen")
      ->check(CLI::Range(std::size_t{1}, clicks_max).description(""));
}

std::map<std::string, Tab> tabs_by_name() {
  std::map<std::string, Tab> tabs;
  for (std::size_t i = 0; i < ringcast::monitor::tab_names.size(); ++i) {
    std::string name(ringcast::monitor::tab_names.at(i));
    name.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(name.front())));
    tabs.emplace(name, static_cast<Tab>(i));
  }
  return tabs;
}

void add_output_options(CLI::App& app, MonitorOptions& options) {
  app.add_option("--top", options.top, "Rows of each table in a report (10)")
      ->check(CLI::Range(std::size_t{0}, counters_max).description(""));
  app.add_option("--count", options.count, "Leave once at least this many lines came")
      ->check(CLI::PositiveNumber);
  auto* const json =
      app.add_flag("--json", options.json, "Print the figures as JSON, one object on a line");
  app.add_option(
         "--picture",
         options.picture,
         "At the end print what the full screen shows of these tabs: metrics, codes, servers, "
         "pages, clients, online, ring")
      ->expected(1, static_cast<int>(ringcast::monitor::tab_names.size()))
      ->transform(CLI::CheckedTransformer(tabs_by_name()).description(""))
      ->type_name("TAB")
      ->excludes(json);
  app.add_flag("--plain", options.plain, "Lines instead of a full screen on a terminal")
      ->excludes(json);
}

int run(int argc, char** argv) {
  MonitorOptions options;
  std::vector<std::string> formats;
  CLI::App app("Live figures of web servers' log lines.", "ringlog-monitor");
  app.footer(example);
  app.set_version_flag("--version", "ringlog-monitor " + std::string(ringcast::version));
  add_input_options(app, options, formats);
  add_figure_options(app, options);
  add_alert_options(app, options);
  add_web_options(app, options);
  std::chrono::milliseconds interval{0};
  ringcast::ringlog::add_duration(
      app, "--interval", interval, "Between two lines of output (10s), or two looks (1s)");
  add_output_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ringcast::ringlog::exit_code_of(app, error);
  }
  const auto refuse = [](const std::string& why) {
    ringcast::tools::report("ringlog-monitor", why);
    return static_cast<int>(ExitCode::usage);
  };
  if (options.groups.empty() && options.file.empty()) {
    return refuse("say what to read: --group GROUP or --file FILE");
  }
  drop_repeated(options.groups);
  if (app.count("--interval") > 0) options.interval = interval;
  if (options.interval.value_or(interval_min) < interval_min) {
    return refuse("--interval must be at least 100ms");
  }
  auto parser = ringcast::monitor::LineParser::make(formats);
  if (!parser) return refuse(parser.error().message);
  const ringcast::tools::StopSignal stop;
  ringcast::monitor::Monitor monitor(std::move(options), std::move(parser).value());
  return static_cast<int>(monitor.run(stop.fd()));
}

}  // namespace

int main(int argc, char** argv) {
  return ringcast::tools::run_program("ringlog-monitor", [&] { return run(argc, argv); });
}
