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
    complaints_.add(std::move(document.problems));
    if (!complaints_.empty()) return finish();
    for (const auto& entry : document.loose) {
      read_loose(entry);
    }
    for (const auto& table : document.tables) {
      read_table(table);
    }
    complaints_.add(check_config(config_, known_));
    return finish();
  }

 private:
  ReadConfig finish() {
    return ReadConfig{.config = std::move(config_), .problems = complaints_.take()};
  }

  void complain(FilePosition at, std::string problem, std::string remedy) {
    complaints_.complain(at, std::move(problem), std::move(remedy));
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
    complain_of_loose_key(entry, option_shapes(), complaints_);
  }

  static bool is_section(std::string_view name) {
    return std::any_of(options().begin(), options().end(), [&](const Option& option) {
      return option.section == name;
    });
  }

  void read_table(const ConfigTable& table) {
    if (!is_section(table.name)) {
      complain_of_table(table, option_shapes(), complaints_);
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

  void read_entry(const ConfigTable& table, const ConfigEntry& entry) {
    const auto* option = find_option(table.name, entry.key);
    if (option == nullptr) {
      complain_of_key(table, entry, option_shapes(), complaints_);
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

  void read_number(const Option& option, const ConfigEntry& entry) {
    const auto value = ringcast::read_number(option, entry, complaints_);
    known_.numbers = known_.numbers && value.has_value();
    if (value) option.set_number(config_, *value);
  }

  void read_text(const Option& option, const ConfigEntry& entry) {
    if (entry.value.kind != ConfigValue::Kind::text) {
      complain_of_type(option, entry, complaints_);
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
  Complaints complaints_;
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
