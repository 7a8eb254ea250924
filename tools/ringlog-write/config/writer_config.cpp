// SPDX-License-Identifier: Apache-2.0
//
// From a document to a WriterConfig.
#include "tools/ringlog-write/config/writer_config.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "configuration/options.hpp"
#include "tools/ringlog-write/config/writer_options.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::string_view reference = "conf/ringlog-write.toml";

const std::vector<OptionShape>& shapes() {
  static const auto all = [] {
    std::vector<OptionShape> made;
    for (const auto& option : writer_options()) {
      made.push_back(option.shape);
    }
    return made;
  }();
  return all;
}

const WriterOption* option_of(std::string_view section, std::string_view key) {
  for (const auto& option : writer_options()) {
    if (option.shape.section == section && option.shape.key == key) return &option;
  }
  return nullptr;
}

class Reader {
 public:
  ReadWriterConfig read(std::string_view text) {
    auto document = parse_document(text, reference);
    complaints_.add(std::move(document.problems));
    if (complaints_.empty()) {
      for (const auto& entry : document.loose) {
        read_loose(entry);
      }
      for (const auto& table : document.tables) {
        read_table(table);
      }
      check();
    }
    return ReadWriterConfig{std::move(config_), complaints_.take(), {}};
  }

 private:
  using Entries = std::map<std::string, FilePosition, std::less<>>;

  void read_loose(const ConfigEntry& entry) {
    const bool is_section = entry.key == "writer" || entry.key == "group" || entry.key == "sink";
    if (!is_section) {
      complain_of_loose_key(entry, shapes(), complaints_);
      return;
    }
    complaints_.complain(
        entry.value.at,
        entry.key + " is " + std::string(ringcast::to_string(entry.value.kind)) +
            " and must be a table",
        entry.key == "writer" ? "write [writer]" : "write [[" + entry.key + "]] once for each");
  }

  void read_table(const ConfigTable& table) {
    if (table.name != "writer" && table.name != "group" && table.name != "sink") {
      complain_of_table(table, shapes(), complaints_);
      return;
    }
    const bool is_list = table.name != "writer";
    if (is_list != table.repeated) {
      complaints_.complain(
          table.at,
          is_list ? "[" + table.name + "] is a single table" : "[[writer]] is a list of tables",
          is_list ? "write [[" + table.name + "]] once for each" : "write [writer] once");
      return;
    }
    if (table.name == "group") {
      config_.groups.emplace_back();
      group_at_.push_back(table.at);
    }
    if (table.name == "sink") begin_sink(table);
    Entries given;
    for (const auto& entry : table.entries) {
      given.emplace(entry.key, entry.at);
      read_entry(table, entry);
    }
    if (table.name == "group" && !given.contains("name")) {
      complaints_.complain(table.at, "this [[group]] has no name", "add name = \"...\"");
    }
    if (table.name == "sink") require_sink_keys(table, given);
  }

  // The type decides what else there may be.
  void begin_sink(const ConfigTable& table) {
    config_.sinks.emplace_back();
    sink_at_.push_back(table.at);
    type_is_known_ = false;
    for (const auto& entry : table.entries) {
      if (entry.key != "type" || entry.value.kind != ConfigValue::Kind::text) continue;
      const auto type = parse_sink_type(entry.value.text);
      type_is_known_ = type.has_value();
      config_.sinks.back().type = type.value_or(SinkType::file);
    }
  }

  void require_sink_keys(const ConfigTable& table, const Entries& given) {
    const auto require = [&](const std::string& key, const std::string& remedy) {
      if (given.contains(key)) return;
      complaints_.complain(table.at, "this [[sink]] has no " + key, remedy);
    };
    require("type", "add type = \"file\", \"sqlite\", \"postgresql\", \"exec\" or \"stdout\"");
    if (config_.groups.size() != 1) require("group", "add group = \"...\"");
    if (!type_is_known_) return;
    switch (config_.sinks.back().type) {
      case SinkType::file:
        return require("path", "add path = \"/...\"");
      case SinkType::sqlite:
        return require("database", "add database = \"/...\"");
      case SinkType::postgresql:
        return require("connection", "add connection = \"host=... dbname=...\"");
      case SinkType::exec:
        return require("command", "add command = [\"/usr/bin/...\"]");
      case SinkType::standard_output:
        return;
    }
  }

  void read_entry(const ConfigTable& table, const ConfigEntry& entry) {
    const auto* const option = option_of(table.name, entry.key);
    if (option == nullptr) {
      complain_of_key(table, entry, shapes(), complaints_);
      return;
    }
    const auto& types = option->types;
    const bool fits =
        types.empty() || !type_is_known_ ||
        std::find(types.begin(), types.end(), config_.sinks.back().type) != types.end();
    if (!fits) {
      complaints_.complain(
          entry.at,
          entry.key + " is no option of a sink of type " + to_string(config_.sinks.back().type),
          "remove it, or make the sink one of type " + to_string(types.front()));
      return;
    }
    if (option->set_number) {
      if (const auto value = read_number(option->shape, entry, complaints_)) {
        option->set_number(config_, *value);
      }
    } else if (option->set_texts) {
      read_texts(*option, entry);
    } else if (entry.value.kind != ConfigValue::Kind::text) {
      complain_of_type(option->shape, entry, complaints_);
    } else {
      settle(entry.value.at, option->set_text(config_, entry.value.text));
    }
  }

  void read_texts(const WriterOption& option, const ConfigEntry& entry) {
    std::vector<std::string> values;
    if (entry.value.kind == ConfigValue::Kind::text) values.push_back(entry.value.text);
    for (const auto& item : entry.value.items) {
      if (item.kind != ConfigValue::Kind::text) {
        complain_of_type(option.shape, ConfigEntry{entry.key, item.at, item}, complaints_);
        return;
      }
      values.push_back(item.text);
    }
    const bool is_fit =
        entry.value.kind == ConfigValue::Kind::text || entry.value.kind == ConfigValue::Kind::list;
    if (!is_fit) {
      complain_of_type(option.shape, entry, complaints_);
      return;
    }
    settle(entry.value.at, option.set_texts(config_, values));
  }

  void settle(FilePosition at, WriterOption::Outcome outcome) {
    if (outcome) complaints_.complain(at, std::move(outcome->problem), std::move(outcome->remedy));
  }

  // What only the whole file can tell.

  void check() {
    if (config_.groups.empty()) {
      complaints_.complain(
          {.line = 1, .column = 1}, "there is no group", "add [[group]] with a name");
    }
    if (config_.state.empty()) config_.state = default_state_directory();
    check_groups();
    check_sinks();
  }

  void check_groups() {
    std::map<std::string, std::string> journals;  // to their groups
    std::map<std::string, FilePosition> names;
    for (std::size_t i = 0; i < config_.groups.size(); ++i) {
      auto& group = config_.groups[i];
      if (group.name.empty()) continue;
      if (group.journal.empty()) group.journal = config_.state + "/" + group.name + ".journal";
      if (!names.emplace(group.name, group_at_[i]).second) {
        complaints_.complain(
            group_at_[i],
            "group " + ringcast::quoted(group.name) + " stands in line " +
                std::to_string(names[group.name].line) + " already",
            "put all its sinks under one [[group]]");
      }
      if (const auto [other, is_new] = journals.emplace(group.journal, group.name); !is_new) {
        complaints_.complain(
            group_at_[i],
            "journal " + ringcast::quoted(group.journal) + " is that of group " +
                ringcast::quoted(other->second),
            "give each group a journal of its own");
      }
    }
  }

  void check_sinks() {
    std::map<std::string, unsigned> names;  // GROUP/NAME to lines
    std::map<std::string, unsigned> places;
    for (std::size_t i = 0; i < config_.sinks.size(); ++i) {
      auto& sink = config_.sinks[i];
      if (sink.group.empty() && config_.groups.size() == 1) sink.group = config_.groups[0].name;
      if (sink.name.empty()) sink.name = to_string(sink.type);
      const auto group =
          std::find_if(config_.groups.begin(), config_.groups.end(), [&](const GroupConfig& known) {
            return known.name == sink.group;
          });
      if (!sink.group.empty() && group == config_.groups.end()) {
        complain_of_group(sink_at_[i], sink.group);
      }
      once(
          names,
          sink.group + "/" + sink.name,
          i,
          "the name " + ringcast::quoted(sink.name),
          "give each sink of a group a name of its own");
      if (sink.type == SinkType::file && !sink.file.path.empty()) {
        once(
            places,
            sink.file.path,
            i,
            "the path " + ringcast::quoted(sink.file.path),
            "give each sink files of its own");
      }
      if (sink.type == SinkType::sqlite || sink.type == SinkType::postgresql) {
        once(
            places,
            sink.database.target + " " + sink.database.table,
            i,
            "the table " + ringcast::quoted(sink.database.table),
            "give each sink a table of its own");
      }
      check_vhost(sink, sink_at_[i]);
    }
  }

  void check_vhost(SinkConfig& sink, FilePosition at) {
    if (sink.type != SinkType::file || sink.file.path.empty()) return;
    const auto made = PathTemplate::parse(sink.file.path, true);
    if (!made || !made->has_vhost() || sink.rules.vhost) return;
    complaints_.complain(
        at, "its path has {vhost} and its lines are not split", "add split_vhost = true");
  }

  void complain_of_group(FilePosition at, const std::string& name) {
    std::vector<std::string> known;
    for (const auto& group : config_.groups) {
      known.push_back(group.name);
    }
    complaints_.complain(
        at,
        "there is no group " + ringcast::quoted(name),
        known.empty()
            ? "add [[group]] with this name"
            : "did you mean " + ringcast::quoted(nearest(name, known)) + "? else add [[group]]");
  }

  void once(
      std::map<std::string, unsigned>& seen,
      const std::string& key,
      std::size_t sink,
      const std::string& what,
      const std::string& remedy) {
    const auto at = sink_at_[sink];
    const auto [known, is_new] = seen.emplace(key, at.line);
    if (is_new) return;
    complaints_.complain(
        at, what + " is used by the [[sink]] in line " + std::to_string(known->second), remedy);
  }

  WriterConfig config_;
  Complaints complaints_;
  std::vector<FilePosition> group_at_;
  std::vector<FilePosition> sink_at_;
  bool type_is_known_{false};
};

}  // namespace

ReadWriterConfig read_writer_config(std::string_view text) { return Reader().read(text); }

std::string default_state_directory() {
  // Read before any thread is started.
  const char* const given = std::getenv("STATE_DIRECTORY");
  return given != nullptr && *given == '/' ? given : "/var/lib/ringlog";
}

std::vector<std::string> writer_config_keys() {
  std::vector<std::string> keys;
  for (const auto& shape : shapes()) {
    keys.push_back(qualified(shape.section, shape.key));
  }
  return keys;
}

}  // namespace ringcast::ringlog
