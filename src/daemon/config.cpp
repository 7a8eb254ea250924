// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.hpp"

#include <algorithm>
#include <utility>

#include "daemon/config_checks.hpp"
#include "daemon/options.hpp"

namespace ringcast {
namespace {

/// Walks a document once and turns it into a DaemonConfig; every complaint lands in problems.
class Reader {
 public:
  explicit Reader(std::string_view file) { config_.file = std::string(file); }

  ReadConfig read(std::string_view text) {
    auto document = parse_document(text);
    problems_ = std::move(document.problems);
    if (!problems_.empty()) return finish();
    for (const auto& entry : document.loose) {
      read_loose(entry);
    }
    for (const auto& table : document.tables) {
      read_table(table);
    }
    for (auto& problem : check_config(config_, known_)) {
      problems_.push_back(std::move(problem));
    }
    return finish();
  }

 private:
  ReadConfig finish() {
    std::stable_sort(
        problems_.begin(), problems_.end(), [](const ConfigProblem& a, const ConfigProblem& b) {
          return a.at < b.at;
        });
    return ReadConfig{.config = std::move(config_), .problems = std::move(problems_)};
  }

  void complain(FilePosition at, std::string problem, std::string remedy) {
    problems_.push_back(
        ConfigProblem{.at = at, .problem = std::move(problem), .remedy = std::move(remedy)});
  }

  // Structure.

  void read_loose(const ConfigEntry& entry) {
    if (is_section(entry.key)) {
      known_.daemons = known_.daemons && entry.key != "daemon";
      complain(
          entry.value.at,
          entry.key + " is " + std::string(to_string(entry.value.kind)) + " and must be a table",
          entry.key == "daemon" ? "write [[daemon]] once per daemon" : "write [" + entry.key + "]");
      return;
    }
    unknown(entry.at, entry.key);
  }

  static bool is_section(std::string_view name) {
    return std::any_of(options().begin(), options().end(), [&](const Option& option) {
      return option.section == name;
    });
  }

  void read_table(const ConfigTable& table) {
    if (!is_section(table.name)) {
      unknown_section(table);
      return;
    }
    const bool is_daemon = table.name == "daemon";
    if (is_daemon != table.repeated) {
      complain(
          table.at,
          is_daemon ? "[daemon] is a single table" : "[[" + table.name + "]] is a list of tables",
          is_daemon ? "write [[daemon]] once per daemon" : "write [" + table.name + "] once");
      if (!is_daemon) return;
    }
    if (is_daemon) {
      config_.daemons.emplace_back();
      config_.daemons.back().at = table.at;
    }
    for (const auto& entry : table.entries) {
      read_entry(table, entry);
    }
    if (is_daemon) require_daemon_keys();
  }

  void unknown_section(const ConfigTable& table) {
    std::vector<std::string> sections;
    for (const auto& option : options()) {
      sections.emplace_back(option.section);
    }
    complain(
        table.at,
        "unknown table [" + table.name + "]",
        "did you mean [" + nearest(table.name, sections) + "]? remove or rename it");
  }

  /// Above the first table.
  void unknown(FilePosition at, const std::string& name) {
    std::vector<std::string> keys;
    for (const auto& option : options()) {
      keys.emplace_back(option.key);
    }
    const auto best = nearest(name, keys);
    const auto option = std::find_if(
        options().begin(), options().end(), [&](const Option& known) { return known.key == best; });
    complain(
        at,
        "unknown key " + quoted(name) + " outside of any table",
        "did you mean " + quoted(option->key) + " in [" + std::string(option->section) +
            "]? move, rename or remove it");
  }

  void unknown_in(const ConfigTable& table, const ConfigEntry& entry) {
    const auto problem = "unknown key " + quoted(entry.key) + " in [" + table.name + "]";
    std::vector<std::string> keys;
    for (const auto& option : options()) {
      if (option.section == table.name) keys.emplace_back(option.key);
      if (option.key != entry.key) continue;
      complain(
          entry.at,
          problem,
          "did you mean " + quoted(option.key) + " in [" + std::string(option.section) +
              "]? move it there");
      return;
    }
    complain(
        entry.at,
        problem,
        "did you mean " + quoted(nearest(entry.key, keys)) + "? remove or rename it");
  }

  void read_entry(const ConfigTable& table, const ConfigEntry& entry) {
    const auto* option = find_option(table.name, entry.key);
    if (option == nullptr) {
      unknown_in(table, entry);
      return;
    }
    if (table.name != "daemon") config_.positions[qualified(table.name, entry.key)] = entry.at;
    if (option->kind == OptionKind::text) {
      read_text(*option, entry);
    } else {
      read_number(*option, entry);
    }
  }

  // Values.

  void wrong_type(const Option& option, const ConfigEntry& entry) {
    struct Expected {
      std::string_view what;
      std::string_view remedy;
    };
    const auto expected = [&]() -> Expected {
      switch (option.kind) {
        case OptionKind::text:
          return {"a string", "put the value in quotes"};
        case OptionKind::count:
          return {"an integer", "write a whole number without quotes"};
        case OptionKind::bytes:
          return {"a size", "write bytes, or a string such as \"8MiB\""};
        case OptionKind::duration:
          return {"a duration", "write a string with its unit, such as \"400ms\" or \"2s\""};
      }
      return {};
    }();
    const auto found = entry.value.kind == ConfigValue::Kind::text
                           ? quoted(entry.value.text)
                           : std::string(to_string(entry.value.kind));
    complain(
        entry.value.at,
        entry.key + " is " + found + " and must be " + std::string(expected.what),
        std::string(expected.remedy));
  }

  static std::optional<std::uint64_t> number_of(const Option& option, const ConfigValue& value) {
    const bool is_text = value.kind == ConfigValue::Kind::text;
    if (option.kind == OptionKind::duration) {
      return is_text ? parse_duration(value.text) : std::nullopt;
    }
    if (option.kind == OptionKind::bytes && is_text) return parse_bytes(value.text);
    if (value.kind != ConfigValue::Kind::integer) return std::nullopt;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer, 0));
  }

  void read_number(const Option& option, const ConfigEntry& entry) {
    const auto value = number_of(option, entry.value);
    if (!value) {
      known_.numbers = false;
      wrong_type(option, entry);
      return;
    }
    const bool negative = entry.value.kind == ConfigValue::Kind::integer && entry.value.integer < 0;
    if (negative || *value < option.min || *value > option.max) {
      known_.numbers = false;
      complain(
          entry.value.at,
          entry.key + " is out of range",
          "choose a value from " + show_value(option.kind, option.min) + " to " +
              show_value(option.kind, option.max));
      return;
    }
    option.set_number(config_, *value);
  }

  void read_text(const Option& option, const ConfigEntry& entry) {
    if (entry.value.kind != ConfigValue::Kind::text) {
      wrong_type(option, entry);
      return;
    }
    if (auto complaint = option.set_text(config_, entry)) {
      complain(entry.value.at, std::move(complaint->problem), std::move(complaint->remedy));
    }
  }

  // What only the whole file can tell.

  void require_daemon_keys() {
    const auto& daemon = config_.daemons.back();
    if (daemon.name_at.line == 0) {
      complain(daemon.at, "this [[daemon]] has no name", "add name = \"...\"");
    }
    if (daemon.address_at.line == 0) {
      complain(daemon.at, "this [[daemon]] has no address", "add address = \"IP:PORT\"");
    }
  }

  DaemonConfig config_;
  std::vector<ConfigProblem> problems_;
  Known known_;
};

}  // namespace

FilePosition DaemonConfig::position(const std::string& option) const {
  const auto found = positions.find(option);
  return found == positions.end() ? FilePosition{.line = 1, .column = 1} : found->second;
}

ReadConfig read_config(std::string_view file, std::string_view text) {
  return Reader(file).read(text);
}

DaemonConfig default_config(std::string_view name) {
  DaemonConfig config;
  ConfiguredDaemon daemon;
  daemon.name = std::string(name);
  daemon.address_text = "127.0.0.1:0";
  daemon.address = SocketAddress::parse(daemon.address_text).value();
  config.daemons.push_back(std::move(daemon));
  return config;
}

std::string expand_name(std::string_view text, std::string_view name) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "%n") {
      expanded += name;
      ++i;
    } else {
      expanded += text[i];
    }
  }
  return expanded;
}

}  // namespace ringcast
