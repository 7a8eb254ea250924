// SPDX-License-Identifier: Apache-2.0
//
// One row per option.
#include "tools/ringlog-write/config/writer_options.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "ringcast/names.hpp"

#include "tools/ringlog-monitor/formats/line_parser.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

using Outcome = WriterOption::Outcome;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t tib = kib * kib * kib * kib;
constexpr std::uint64_t mode_max = 0777;
constexpr std::uint64_t open_max = 100'000;
constexpr std::uint64_t names_max = 100'000'000;
constexpr std::uint64_t days_max = 366;
constexpr std::uint64_t day_s = 86400;
constexpr std::uint64_t years_max = 100;

ConfigProblem refusal(std::string problem, std::string remedy) {
  return ConfigProblem{.at = {}, .problem = std::move(problem), .remedy = std::move(remedy)};
}

WriterOption text(
    std::string_view section,
    std::string_view key,
    std::function<Outcome(WriterConfig&, const std::string&)> set,
    std::vector<SinkType> types = {}) {
  WriterOption option;
  option.shape = OptionShape{section, key, OptionKind::text, 0, 0};
  option.types = std::move(types);
  option.set_text = std::move(set);
  return option;
}

WriterOption number(
    OptionShape shape,
    std::function<void(WriterConfig&, std::uint64_t)> set,
    std::vector<SinkType> types = {}) {
  WriterOption option;
  option.shape = shape;
  option.types = std::move(types);
  option.set_number = std::move(set);
  return option;
}

WriterOption texts(
    std::string_view key,
    std::function<Outcome(WriterConfig&, const std::vector<std::string>&)> set,
    std::vector<SinkType> types = {}) {
  WriterOption option;
  option.shape = OptionShape{"sink", key, OptionKind::texts, 0, 0};
  option.types = std::move(types);
  option.set_texts = std::move(set);
  return option;
}

OptionShape flag(std::string_view section, std::string_view key) {
  return OptionShape{section, key, OptionKind::flag, 0, 1};
}

Outcome absolute(std::string& field, const std::string& value) {
  if (value.empty() || value.front() != '/' || value.find('\0') != std::string::npos) {
    return refusal(ringcast::quoted(value) + " is not an absolute path", "begin it with \"/\"");
  }
  field = value;
  return std::nullopt;
}

Outcome word(std::string& field, const std::string& value) {
  if (!is_valid_word(value)) {
    return refusal(
        ringcast::quoted(value) + " is no name",
        "use 1 to 64 letters, digits, '_', '.', ':' or '-'");
  }
  field = value;
  return std::nullopt;
}

Outcome group_name(std::string& field, const std::string& value) {
  if (auto problem = log_group(value); !problem.empty()) {
    return refusal(ringcast::quoted(value) + " is no group", problem);
  }
  field = value;
  return std::nullopt;
}

Outcome set_type(WriterConfig& config, const std::string& value) {
  const auto type = parse_sink_type(value);
  if (!type) {
    return refusal(
        "there is no sink of type " + ringcast::quoted(value),
        "did you mean " + ringcast::quoted(nearest(value, sink_types())) + "?");
  }
  config.sinks.back().type = *type;
  return std::nullopt;
}

Outcome set_start(WriterConfig& config, const std::string& value) {
  if (value != "beginning" && value != "end") {
    return refusal("start is " + ringcast::quoted(value), "write \"beginning\" or \"end\"");
  }
  config.sinks.back().from_end = value == "end";
  return std::nullopt;
}

Outcome set_match(WriterConfig& config, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    if (const auto problem = expression_problem(value)) {
      return refusal(
          ringcast::quoted(value) + " is no regular expression: " + *problem,
          "write it in RE2's syntax, best as a literal 'string'");
    }
  }
  config.sinks.back().rules.match = values;
  return std::nullopt;
}

Outcome set_timestamp(WriterConfig& config, const std::string& value) {
  const auto format = value == "CommonLogFormat" ? std::string(common_log_format) : value;
  if (TimeFormat(format, true).at(0).empty() || format.find('\0') != std::string::npos) {
    return refusal(
        "strftime makes nothing of " + ringcast::quoted(value),
        "write \"CommonLogFormat\" or a format such as \"[%F %T]\"");
  }
  config.sinks.back().rules.timestamp = format;
  return std::nullopt;
}

Outcome set_path(WriterConfig& config, const std::string& value) {
  const auto made = PathTemplate::parse(value, true);
  if (!made) return refusal("path is " + ringcast::quoted(value), made.error().message);
  config.sinks.back().file.path = value;
  return std::nullopt;
}

Outcome set_compress(WriterConfig& config, const std::string& value) {
  auto& compress = config.sinks.back().file.compress;
  if (value == "none") {
    compress = Compression::none;
  } else if (value == "gzip") {
    compress = Compression::gzip;
  } else if (value == "zstd") {
    compress = Compression::zstd;
  } else {
    return refusal(
        "compress is " + ringcast::quoted(value), "write \"none\", \"gzip\" or \"zstd\"");
  }
  return std::nullopt;
}

Outcome set_sync(WriterConfig& config, const std::string& value) {
  if (value != "always" && value != "never") {
    return refusal("fsync is " + ringcast::quoted(value), "write \"always\" or \"never\"");
  }
  config.sinks.back().file.sync = value == "always";
  return std::nullopt;
}

Outcome set_owner(WriterConfig& config, const std::string& value) {
  const auto owner = parse_owner(value);
  if (!owner) {
    return refusal(
        owner.error().message,
        "write \"USER\", \"USER:GROUP\" or \":GROUP\" as this host knows them");
  }
  config.sinks.back().file.owner = value;
  return std::nullopt;
}

Outcome set_mode(WriterConfig& config, const std::string& value) {
  std::uint64_t mode = 0;
  const auto* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, mode, 8);
  if (read.ec != std::errc{} || read.ptr != end || mode > mode_max || (mode & 0200U) == 0) {
    return refusal(
        "mode is " + ringcast::quoted(value),
        "write octal digits such as \"0640\"; its owner must be able to write");
  }
  config.sinks.back().file.mode = mode;
  return std::nullopt;
}

// It becomes part of statements.
Outcome set_table(WriterConfig& config, const std::string& value) {
  constexpr std::size_t name_bytes_max = 40;
  const bool is_name =
      !value.empty() && value.size() <= name_bytes_max &&
      value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
      (value[0] < '0' || value[0] > '9') && !value.starts_with("sqlite_");
  if (!is_name) {
    return refusal(
        "table is " + ringcast::quoted(value),
        "use up to 40 lower-case letters, digits and '_', a letter first");
  }
  config.sinks.back().database.table = value;
  return std::nullopt;
}

Outcome set_formats(WriterConfig& config, const std::vector<std::string>& values) {
  if (const auto made = monitor::LineParser::make(values); !made) {
    return refusal(made.error().message, "write a format as for ringlog-monitor --format");
  }
  config.sinks.back().database.format = values;
  return std::nullopt;
}

Outcome set_command(WriterConfig& config, const std::vector<std::string>& values) {
  if (values.empty() || values.front().empty()) {
    return refusal("command is empty", "name a program and its arguments");
  }
  for (const auto& value : values) {
    if (value.find('\0') != std::string::npos) return refusal("command holds a NUL", "remove it");
  }
  config.sinks.back().exec.command = values;
  return std::nullopt;
}

Outcome set_format(WriterConfig& config, const std::string& value) {
  if (value != "raw" && value != "json") {
    return refusal("output is " + ringcast::quoted(value), "write \"raw\" or \"json\"");
  }
  config.sinks.back().exec.json = value == "json";
  return std::nullopt;
}

void add_writer_rows(std::vector<WriterOption>& rows) {
  rows.push_back(text("writer", "socket", [](auto& config, const auto& value) {
    return absolute(config.socket, value);
  }));
  rows.push_back(text("writer", "server", [](auto& config, const auto& value) -> Outcome {
    if (value.find(':') == std::string::npos) {
      return refusal("server is " + ringcast::quoted(value), "write \"HOST:PORT\"");
    }
    config.server = value;
    return std::nullopt;
  }));
  rows.push_back(
      text("writer", "as", [](auto& config, const auto& value) { return word(config.as, value); }));
  rows.push_back(text("writer", "state", [](auto& config, const auto& value) {
    return absolute(config.state, value);
  }));
  rows.push_back(text("writer", "status_file", [](auto& config, const auto& value) {
    return absolute(config.status_file, value);
  }));
  rows.push_back(number(
      {"writer", "status_interval", OptionKind::duration, second_ns / 10, 3600 * second_ns},
      [](auto& config, std::uint64_t value) {
        config.status_interval =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(value));
      }));
  rows.push_back(text("group", "name", [](auto& config, const auto& value) {
    return group_name(config.groups.back().name, value);
  }));
  rows.push_back(text("group", "journal", [](auto& config, const auto& value) {
    return absolute(config.groups.back().journal, value);
  }));
  rows.push_back(number(flag("group", "adopt"), [](auto& config, std::uint64_t value) {
    config.groups.back().adopt = value == 1;
  }));
  rows.push_back(number(
      {"group", "keep_bytes", OptionKind::bytes, keep_bytes_min, keep_bytes_max},
      [](auto& config, std::uint64_t value) { config.groups.back().keep.bytes = value; }));
  rows.push_back(number(
      {"group",
       "keep_time",
       OptionKind::duration,
       60 * second_ns,
       years_max * 366 * day_s * second_ns},
      [](auto& config, std::uint64_t value) {
        config.groups.back().keep.time =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(value));
      }));
}

void add_sink_rows(std::vector<WriterOption>& rows) {
  rows.push_back(text("sink", "group", [](auto& config, const auto& value) {
    return group_name(config.sinks.back().group, value);
  }));
  rows.push_back(text("sink", "name", [](auto& config, const auto& value) {
    return word(config.sinks.back().name, value);
  }));
  rows.push_back(text("sink", "type", set_type));
  rows.push_back(text("sink", "start", set_start));
  rows.push_back(texts("match", set_match));
  rows.push_back(number(flag("sink", "split_vhost"), [](auto& config, std::uint64_t value) {
    config.sinks.back().rules.vhost = value == 1;
  }));
  rows.push_back(text("sink", "timestamp", set_timestamp));
  rows.push_back(number(flag("sink", "utc"), [](auto& config, std::uint64_t value) {
    config.sinks.back().rules.utc = value == 1;
    config.sinks.back().file.utc = value == 1;
  }));
  rows.push_back(number(flag("sink", "markers"), [](auto& config, std::uint64_t value) {
    config.sinks.back().rules.markers = value == 1;
  }));
}

void add_file_rows(std::vector<WriterOption>& rows) {
  const std::vector<SinkType> file{SinkType::file};
  rows.push_back(text("sink", "path", set_path, file));
  rows.push_back(number(
      {"sink", "rotate_bytes", OptionKind::bytes, kib, tib},
      [](auto& config, std::uint64_t value) { config.sinks.back().file.rotate_bytes = value; },
      file));
  rows.push_back(number(
      {"sink", "rotate_every", OptionKind::duration, 60 * second_ns, days_max * day_s * second_ns},
      [](auto& config, std::uint64_t value) {
        config.sinks.back().file.rotate_every = std::chrono::seconds(value / second_ns);
      },
      file));
  rows.push_back(text("sink", "compress", set_compress, file));
  rows.push_back(text("sink", "fsync", set_sync, file));
  rows.push_back(text("sink", "owner", set_owner, file));
  rows.push_back(text("sink", "mode", set_mode, file));
  rows.push_back(number(
      {"sink", "open_files", OptionKind::count, 1, open_max},
      [](auto& config, std::uint64_t value) { config.sinks.back().file.open_max = value; },
      file));
  rows.push_back(number(
      {"sink", "names_max", OptionKind::count, 1, names_max},
      [](auto& config, std::uint64_t value) { config.sinks.back().file.names_max = value; },
      file));
}

void add_other_rows(std::vector<WriterOption>& rows) {
  const std::vector<SinkType> databases{SinkType::sqlite, SinkType::postgresql};
  rows.push_back(text(
      "sink",
      "database",
      [](auto& config, const auto& value) {
        return absolute(config.sinks.back().database.target, value);
      },
      {SinkType::sqlite}));
  rows.push_back(text(
      "sink",
      "connection",
      [](auto& config, const auto& value) -> Outcome {
        if (value.empty()) return refusal("connection is empty", "write \"host=... dbname=...\"");
        config.sinks.back().database.target = value;
        return std::nullopt;
      },
      {SinkType::postgresql}));
  rows.push_back(text("sink", "table", set_table, databases));
  rows.push_back(texts("format", set_formats, databases));
  rows.push_back(texts("command", set_command, {SinkType::exec}));
  rows.push_back(number(
      flag("sink", "answers"),
      [](auto& config, std::uint64_t value) { config.sinks.back().exec.answers = value == 1; },
      {SinkType::exec}));
  rows.push_back(text("sink", "output", set_format, {SinkType::exec, SinkType::standard_output}));
}

}  // namespace

const std::vector<WriterOption>& writer_options() {
  static const auto rows = [] {
    std::vector<WriterOption> made;
    add_writer_rows(made);
    add_sink_rows(made);
    add_file_rows(made);
    add_other_rows(made);
    return made;
  }();
  return rows;
}

const std::vector<std::string>& sink_types() {
  static const std::vector<std::string> names{"file", "sqlite", "postgresql", "exec", "stdout"};
  return names;
}

std::optional<SinkType> parse_sink_type(const std::string& text) {
  const auto& names = sink_types();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<SinkType>(i);
  }
  return std::nullopt;
}

std::string to_string(SinkType type) { return sink_types()[static_cast<std::size_t>(type)]; }

}  // namespace ringcast::ringlog
