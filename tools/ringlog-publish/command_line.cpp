// SPDX-License-Identifier: Apache-2.0
//
// Arguments by CLI11. What the configuration file says is checked option by option, each with
// its place, and then goes through the same parser as if it stood before the arguments.
#include "tools/ringlog-publish/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <utility>

#include "ringcast/names.hpp"
#include "ringcast/version.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-publish/publisher_config.hpp"
#include "tools/ringlog-publish/syslog_address.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/options.hpp"
#include "tools/ringlog/packing.hpp"
#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

namespace {

using tools::ExitCode;

constexpr auto program = "ringlog-publish";
constexpr auto example =
    "Example: GlobalLog \"|/usr/local/bin/ringlog-publish --group weblogs\" combined\n"
    "         ringlog-publish --group weblogs --tail '/var/log/nginx/*.log'\n"
    "         ringlog-publish --group weblogs --syslog unix:/run/ringlog/syslog.sock\n"
    "         ringlog-publish spool ls /var/spool/ringlog    (spool --help: what else)\n"
    "What it promises and what it costs: docs/logging.md.\n"
    "Exit codes: 0 done, 1 failed, or lines were dropped or lost, 2 wrong usage, 3 cannot reach "
    "the\n"
    "daemon, 4 timed out.";

constexpr int list_max = 65536;
constexpr std::size_t writers_max = 100;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string default_state() {
  if (auto directory = variable("STATE_DIRECTORY"); !directory.empty()) return directory;
  if (::geteuid() == 0) return "/var/lib/ringlog";
  if (const auto directory = variable("XDG_STATE_HOME"); !directory.empty()) {
    return directory + "/ringlog";
  }
  return variable("HOME") + "/.local/state/ringlog";
}

// What the arguments mean before they are one PublisherOptions.
struct Arguments {
  PublisherOptions options;
  std::string config;
  bool check{false};
  std::vector<std::string> sockets;
  std::vector<std::string> servers;
  std::string name;
  std::string compress{"none"};
  int level{3};
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds spool_age_max{0};
};

CLI::Option* add_list(
    CLI::App& app,
    const std::string& name,
    std::vector<std::string>& values,
    const std::string& description,
    const std::string& type) {
  return app.add_option(name, values, description)
      ->type_name(type)
      ->expected(1, list_max)
      ->allow_extra_args(false);  // or CLI11 takes "[ab]" for a list
}

void add_daemons(CLI::App& app, Arguments& arguments) {
  add_list(
      app,
      "--socket",
      arguments.sockets,
      "The daemon's unix socket (RINGCAST_SOCKET, else the default)",
      "PATH");
  add_list(
      app,
      "--server",
      arguments.servers,
      "A daemon's TCP listener. Several daemons: the first that answers, sockets first",
      "HOST:PORT");
  app.add_option("--as", arguments.name, "Name on the daemon; else a generated one")
      ->check([](const std::string& text) {
        return is_valid_word(text)
                   ? std::string()
                   : "\"" + text + "\" must be 1 to 64 letters, digits, '_', '.', ':' or '-'";
      });
}

void add_sources(CLI::App& app, PublisherOptions& options) {
  add_list(app, "--tail", options.patterns, "Follow the files that match, not stdin", "GLOB");
  app.add_flag("--once", options.once, "With --tail: end at the end of the files");
  add_list(
      app,
      "--syslog",
      options.syslog,
      "Take syslog messages: unix:PATH, unix-stream:PATH, udp:HOST:PORT, tcp:HOST:PORT",
      "ADDRESS")
      ->check([](const std::string& text) {
        const auto address = parse_syslog_address(text);
        return address ? std::string() : address.error().message;
      });
  app.add_flag(
      "--syslog-keep", options.syslog_keep, "Send syslog messages whole, not their text alone");
  app.add_flag("--journal", options.journal, "Follow the systemd journal of this host");
  app.add_option("--journal-directory", options.journal_directory, "Follow the journal there")
      ->type_name("DIR");
  add_list(
      app,
      "--journal-match",
      options.journal_matches,
      "With --journal: only entries with this field; of one field any, of several all",
      "FIELD=VALUE");
  options.state_directory = default_state();
  app.add_option(
         "--state",
         options.state_directory,
         "With --tail and --journal: where it is remembered how far each is")
      ->type_name("DIR")
      ->capture_default_str();
}

// Why the rules are wrong; empty: they are not.
std::string wrong_with(const FilterOptions& rules) {
  const auto filter = Filter::make(rules);
  return filter ? std::string() : filter.error().message;
}

void add_filters(CLI::App& app, FilterOptions& filter) {
  add_list(app, "--include", filter.include, "Send only lines that match (any of them)", "REGEX")
      ->check([](const std::string& text) {
        return wrong_with({{text}, {}, {}, 1});
      });
  add_list(app, "--exclude", filter.exclude, "Do not send lines that match", "REGEX")
      ->check([](const std::string& text) {
        return wrong_with({{}, {text}, {}, 1});
      });
  add_list(
      app, "--replace", filter.replace, "Put TEXT for what matches; \\1 is a group", "/REGEX/TEXT/")
      ->check([](const std::string& text) {
        return wrong_with({{}, {}, {text}, 1});
      });
  app.add_option("--sample", filter.sample, "Send one line in so many, by a hash of the line (1)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32U).description(""))
      ->type_name("N");
}

void add_room(CLI::App& app, Arguments& arguments) {
  auto& options = arguments.options;
  app.add_option("--spool", options.spool_directory, "Where lines wait when memory is full")
      ->type_name("DIR");
  add_size(
      app,
      "--spool-max",
      options.spool_bytes_max,
      {std::uint64_t{1} << 20U, std::uint64_t{1} << 40U},
      "Most bytes in the spool (1G)");
  add_duration(
      app,
      "--spool-max-age",
      arguments.spool_age_max,
      "Longest time of lines in the spool; older ones are dropped (for ever)");
  add_size(
      app,
      "--memory",
      options.memory_bytes_max,
      {std::uint64_t{1} << 20U, std::uint64_t{1} << 36U},
      "Most bytes waiting in memory (64M)");
  const std::vector<std::pair<std::string, WhenFull>> policies = {
      {"block-then-drop-newest", WhenFull::block_then_drop_newest},
      {"drop-newest", WhenFull::drop_newest},
      {"drop-oldest", WhenFull::drop_oldest}};
  app.add_option(
         "--when-full",
         options.when_full,
         "When memory and spool are full: block-then-drop-newest, drop-newest, drop-oldest")
      ->transform(CLI::CheckedTransformer(policies).description(""))
      ->type_name("POLICY");
  add_duration(
      app,
      "--max-block",
      options.max_block,
      "Longest pause of a full pipe before lines are dropped (100ms)");
  add_duration(
      app,
      "--linger",
      options.linger,
      "Longest rest between two looks at a pipe or syslog, so that who writes need wake nobody "
      "(100ms)");
}

void add_sending(CLI::App& app, Arguments& arguments) {
  auto& options = arguments.options;
  add_size(
      app,
      "--max-line",
      options.line_bytes_max,
      {1, line_bytes_max},
      "Longest line in bytes; longer ones are reported, not sent (64k)");
  app.add_option("--compress", arguments.compress, "Pack each batch of lines: none or zstd (none)")
      ->check(CLI::IsMember({"none", "zstd"}).description(""))
      ->type_name("METHOD");
  app.add_option("--compress-level", arguments.level, "With --compress zstd: 1 to 19 (3)")
      ->check(CLI::Range(packing_level_min, packing_level_max).description(""))
      ->type_name("N");
  app.add_option(
         "--require-writers",
         options.writers_required,
         "Let go of a line only when so many writers have synced it to disk (0)")
      ->check(CLI::Range(std::size_t{0}, writers_max).description(""))
      ->type_name("N");
  add_duration(
      app,
      "--flush-timeout",
      options.flush_timeout,
      "Longest wait for confirmations after SIGTERM (5s)");
  add_duration(
      app,
      "--connect-timeout",
      options.connect_timeout,
      "Once the input is over: exit 3 when no daemon was reached within this time (5s)");
  add_duration(
      app,
      "--timeout",
      arguments.timeout,
      "Once the input is over: wait at most this long for confirmations, then exit 4 (for ever)");
  app.add_flag("--json", options.json, "Print the summary as JSON to stdout");
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.footer(example);
  app.set_version_flag("--version", "ringlog-publish " + std::string(version));
  app.add_option(
         "--config", arguments.config, "Options as TOML: max_line = \"1M\" for --max-line 1M")
      ->type_name("FILE");
  app.add_flag("--check", arguments.check, "Check the options, say what is wrong, and end");
  app.add_option("--group", arguments.options.group, "The group the lines are sent to")
      ->check(log_group);
  add_daemons(app, arguments);
  add_sources(app, arguments.options);
  add_filters(app, arguments.options.filter);
  add_room(app, arguments);
  add_sending(app, arguments);
}

// One program, parsed as often as needed: what is parsed cannot be parsed again.
struct Parser {
  Arguments arguments;
  CLI::App app{"Publishes log lines to a group and loses none of them.", program};

  Parser() { add_options(app, arguments); }
  void parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(std::move(words));
  }
};

CommandLine ended(int code) {
  CommandLine command;
  command.exit_code = code;
  return command;
}

CommandLine wrong(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) {
    tools::report(program, problem);
  }
  return ended(static_cast<int>(ExitCode::usage));
}

// Why the command line would refuse it; empty: it would not.
std::string refusal_of(const ConfigItem& item) {
  Parser parser;
  try {
    for (const auto& value : item.values) {
      parser.app.get_option(item.option)->add_result(value);
    }
    parser.app.get_option(item.option)->run_callback();
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return {};
}

std::vector<std::string> known_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* const option : app.get_options()) {
    const auto name = option->get_name();
    const bool is_for_people = name.find("help") != std::string::npos || name == "--version" ||
                               name == "--config" || name == "--check";
    if (!is_for_people) names.push_back(name);
  }
  return names;
}

// What the file adds to the arguments. `given` has parsed the arguments alone.
std::vector<std::string> words_of(
    const PublisherConfig& config, const Parser& given, std::vector<ConfigProblem>& problems) {
  std::vector<std::string> words;
  for (const auto& item : config.items) {
    if (auto refusal = refusal_of(item); !refusal.empty()) {
      problems.push_back({item.at, std::move(refusal), {}});
    }
    if (given.app.get_option(item.option)->count() > 0) continue;
    for (const auto& value : item.values) {
      words.push_back(item.option + "=" + value);
    }
  }
  return words;
}

// In file order, as "FILE:LINE:COLUMN: problem; remedy".
std::vector<std::string> described(const std::string& file, std::vector<ConfigProblem> problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const auto& one, const auto& next) {
    return one.at < next.at;
  });
  std::vector<std::string> sentences;
  sentences.reserve(problems.size());
  for (const auto& problem : problems) {
    sentences.push_back(describe(file, problem));
  }
  return sentences;
}

std::vector<std::string> contradictions(const Arguments& arguments) {
  const auto& options = arguments.options;
  const bool has_journal = options.journal || !options.journal_directory.empty();
  const bool is_kept_elsewhere =
      (!options.patterns.empty() || has_journal) && options.syslog.empty();
  std::vector<std::string> problems;
  if (options.group.empty()) problems.emplace_back("--group is required: where lines are sent");
  if (options.once && options.patterns.empty()) {
    problems.emplace_back("--once is for followed files; add --tail");
  }
  if (options.once && (has_journal || !options.syslog.empty())) {
    problems.emplace_back("--once is for followed files alone; syslog and journal have no end");
  }
  if (options.syslog_keep && options.syslog.empty()) {
    problems.emplace_back("--syslog-keep is for syslog messages; add --syslog");
  }
  if (!options.journal_matches.empty() && !has_journal) {
    problems.emplace_back("--journal-match is for the journal; add --journal");
  }
  if (is_kept_elsewhere && !options.spool_directory.empty()) {
    problems.emplace_back(
        "--spool excludes --tail and --journal: their lines wait where they are; drop it");
  }
  if (options.memory_bytes_max / 4 < options.line_bytes_max) {
    problems.emplace_back("--memory must be at least four times --max-line; raise it");
  }
  if (!options.spool_directory.empty() && options.spool_bytes_max / 4 < options.line_bytes_max) {
    problems.emplace_back("--spool-max must be at least four times --max-line; raise it");
  }
  return problems;
}

PublisherOptions options_of(Parser& parser) {
  auto& arguments = parser.arguments;
  auto options = std::move(arguments.options);
  for (const auto& path : arguments.sockets) {
    options.daemons.emplace_back().socket = path;
  }
  for (const auto& server : arguments.servers) {
    options.daemons.emplace_back().server = server;
  }
  if (options.daemons.empty()) options.daemons.emplace_back();
  for (auto& daemon : options.daemons) {
    daemon.name = arguments.name;
  }
  options.name = arguments.name.empty() ? host_name() : arguments.name;
  options.packing_level = arguments.compress == "zstd" ? arguments.level : 0;
  if (parser.app.count("--timeout") > 0) options.timeout = arguments.timeout;
  if (parser.app.count("--spool-max-age") > 0) options.spool_age_max = arguments.spool_age_max;
  return options;
}

Result<std::string> text_of(const std::string& file) {
  auto text = read_file(file);
  if (!text) return text.error();
  if (!text->has_value()) return Error{Errc::io, file + ": no such file"};
  return std::move(**text);
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  auto parser = std::make_unique<Parser>();
  try {
    parser->parse(arguments);
    if (const auto file = parser->arguments.config; !file.empty()) {
      const auto text = text_of(file);
      if (!text) return wrong({text.error().message});
      auto config = parse_config(*text, known_options(parser->app));
      auto words = words_of(config, *parser, config.problems);
      if (!config.problems.empty()) return wrong(described(file, std::move(config.problems)));
      words.insert(words.end(), arguments.begin(), arguments.end());
      parser = std::make_unique<Parser>();
      parser->parse(words);
    }
  } catch (const CLI::ParseError& error) {
    return ended(exit_code_of(parser->app, error));
  }
  const auto problems = contradictions(parser->arguments);
  if (!problems.empty()) return wrong(problems);
  if (parser->arguments.check) {
    const auto& file = parser->arguments.config;
    (void)std::printf("%s: ok\n", file.empty() ? "options" : file.c_str());
    return ended(static_cast<int>(ExitCode::done));
  }
  CommandLine command;
  command.options = options_of(*parser);
  return command;
}

}  // namespace ringcast::ringlog
