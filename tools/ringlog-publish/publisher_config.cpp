// SPDX-License-Identifier: Apache-2.0
//
// Keys as options, values as words.
#include "tools/ringlog-publish/publisher_config.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "configuration/options.hpp"

namespace ringcast::ringlog {

namespace {

constexpr auto reference = "conf/ringlog-publish.toml";

std::string key_of(const std::string& option) {
  auto key = option.substr(option.find_first_not_of('-'));
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::optional<std::string> word_of(const ConfigValue& value) {
  switch (value.kind) {
    case ConfigValue::Kind::text:
      return value.text;
    case ConfigValue::Kind::integer:
      return std::to_string(value.integer);
    case ConfigValue::Kind::boolean:
      return value.integer != 0 ? "true" : "false";
    case ConfigValue::Kind::number:
    case ConfigValue::Kind::date:
    case ConfigValue::Kind::list:
    case ConfigValue::Kind::table:
      break;
  }
  return std::nullopt;
}

// Of a list one for each; nothing when one is of another kind.
std::optional<std::vector<std::string>> words_of(const ConfigValue& value) {
  const std::vector<ConfigValue> alone = {value};
  std::vector<std::string> words;
  for (const auto& item : value.kind == ConfigValue::Kind::list ? value.items : alone) {
    auto word = word_of(item);
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
  return words;
}

}  // namespace

PublisherConfig parse_config(std::string_view text, const std::vector<std::string>& known) {
  auto document = parse_document(text, reference);
  PublisherConfig config;
  config.problems = std::move(document.problems);
  std::vector<std::string> keys;
  keys.reserve(known.size());
  for (const auto& option : known) {
    keys.push_back(key_of(option));
  }
  for (const auto& entry : document.loose) {
    const auto key = std::find(keys.begin(), keys.end(), entry.key);
    auto words = words_of(entry.value);
    if (key == keys.end()) {
      config.problems.push_back(
          {entry.at,
           "unknown key " + quoted(entry.key),
           "did you mean " + quoted(nearest(entry.key, keys)) + "?"});
    } else if (!words) {
      config.problems.push_back(
          {entry.at,
           entry.key + " has a value of the wrong kind",
           "write a text, a whole number, true or false, or a list of them"});
    } else {
      const auto index = static_cast<std::size_t>(key - keys.begin());
      config.items.push_back(ConfigItem{known[index], std::move(*words), entry.at});
    }
  }
  for (const auto& table : document.tables) {
    config.problems.push_back(
        {table.at,
         "a table " + quoted(table.name),
         "options stand alone here; " + std::string(reference) + " shows every one"});
  }
  return config;
}

}  // namespace ringcast::ringlog
