// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "ringcast/client.hpp"
#include "ringcast/names.hpp"

#include "daemon/config_checks.hpp"
#include "daemon/options.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {
namespace {

constexpr std::array log_levels{"error", "warn", "info", "debug", "trace"};

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
    const auto name = qualified(option.section, option.key);
    if (name == "cluster.name") read_cluster_name(entry);
    if (name == "daemon.name") read_daemon_name(entry);
    if (name == "daemon.address") read_daemon_address(entry);
    if (name == "ring.transport") read_transport(entry);
    if (name == "ring.multicast") read_multicast(entry);
    if (name == "clients.mode") read_mode(entry);
    if (name == "clients.tcp") read_tcp(entry);
    if (name == "log.level") read_log_level(entry);
    if (option.set_text == nullptr) return;
    if (entry.value.text.empty()) {
      complain(entry.value.at, entry.key + " is empty", "give it a value or remove the line");
      return;
    }
    option.set_text(config_, entry.value.text);
  }

  bool is_name(const ConfigEntry& entry, std::string_view what) {
    if (is_valid_word(entry.value.text)) return true;
    complain(
        entry.value.at,
        std::string(what) + " name " + quoted(entry.value.text) + " is not a valid name",
        "use 1 to 64 letters, digits, '_', '.', ':' or '-'");
    return false;
  }

  void read_cluster_name(const ConfigEntry& entry) {
    if (is_name(entry, "cluster")) config_.cluster = entry.value.text;
  }

  void read_daemon_name(const ConfigEntry& entry) {
    auto& daemon = config_.daemons.back();
    daemon.name_at = entry.value.at;
    if (is_name(entry, "daemon")) daemon.name = entry.value.text;
  }

  std::optional<SocketAddress> read_address(const ConfigEntry& entry) {
    const auto address = SocketAddress::parse(entry.value.text);
    if (!address) {
      complain(
          entry.value.at,
          address.error().message,
          "write it as \"192.0.2.1:4913\" or \"[2001:db8::1]:4913\"");
      return std::nullopt;
    }
    if (address->port() == 0) {
      complain(entry.value.at, "port 0 is no port to listen on", "choose a port from 1 to 65535");
      return std::nullopt;
    }
    return *address;
  }

  void read_daemon_address(const ConfigEntry& entry) {
    auto& daemon = config_.daemons.back();
    daemon.address_at = entry.value.at;
    daemon.address_text = entry.value.text;
    const auto address = read_address(entry);
    if (!address) return;
    if (address->is_multicast() || address->is_unspecified()) {
      complain(
          entry.value.at,
          quoted(entry.value.text) + " is not the address of one host",
          "give the address by which the other daemons reach this one");
      return;
    }
    daemon.address = *address;
  }

  void read_transport(const ConfigEntry& entry) {
    const auto& text = entry.value.text;
    if (text == "unicast") {
      config_.transport = RingTransport::unicast;
    } else if (text == "multicast") {
      config_.transport = RingTransport::multicast;
    } else if (text == "auto") {
      config_.transport = RingTransport::automatic;
    } else {
      complain(
          entry.value.at,
          "transport " + quoted(text) + " is unknown",
          R"(choose "unicast", "multicast" or "auto")");
    }
  }

  void read_multicast(const ConfigEntry& entry) {
    const auto address = read_address(entry);
    if (!address) return;
    if (!address->is_multicast()) {
      complain(
          entry.value.at,
          quoted(entry.value.text) + " is not a multicast address",
          R"(use one such as "239.192.73.1:4913" or "[ff15::4913]:4913")");
      return;
    }
    config_.multicast = *address;
  }

  void read_mode(const ConfigEntry& entry) {
    const auto& text = entry.value.text;
    const bool octal =
        (text.size() == 3 || (text.size() == 4 && text.front() == '0')) &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
    if (!octal) {
      complain(
          entry.value.at,
          "mode " + quoted(text) + " is no file mode",
          R"(write three octal digits, such as "0660")");
      return;
    }
    config_.socket_mode = 0;
    for (const char c : text) {
      config_.socket_mode = config_.socket_mode * 8 + static_cast<unsigned>(c - '0');
    }
  }

  void read_tcp(const ConfigEntry& entry) {
    const auto address = read_address(entry);
    if (!address) return;
    if (address->is_multicast()) {
      complain(
          entry.value.at,
          quoted(entry.value.text) + " is a multicast address",
          "give an address of this host, or 0.0.0.0 for all of them");
      return;
    }
    config_.tcp = *address;
  }

  void read_log_level(const ConfigEntry& entry) {
    const auto& text = entry.value.text;
    if (std::find(log_levels.begin(), log_levels.end(), text) == log_levels.end()) {
      complain(
          entry.value.at,
          "log level " + quoted(text) + " is unknown",
          R"(choose "error", "warn", "info", "debug" or "trace")");
      return;
    }
    config_.log_level = text;
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
