// SPDX-License-Identifier: Apache-2.0
//
// TOML by toml++.
#include "tools/ringlog-publish/config_file.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace {

// The parser asserts where it should report, at `[=]` for example; a typing error must not end
// a program without a word.
constexpr void require_of_parser(bool holds) {
  if (!holds) throw std::invalid_argument("no key where one must be");
}

}  // namespace

#define TOML_ASSERT(condition) require_of_parser(static_cast<bool>(condition))
#include <toml++/toml.h>

namespace ringcast::ringlog {

namespace {

std::string place_of(const std::string& file, std::uint32_t line, std::uint32_t column) {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

std::string key_of(const std::string& option) {
  auto key = option.substr(option.find_first_not_of('-'));
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

// Insertions, deletions and replacements from one to the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const auto replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_key(std::string_view key, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(
      known.begin(), known.end(), [key](const std::string& one, const std::string& other) {
        return distance(key, key_of(one)) < distance(key, key_of(other));
      });
  return nearest == known.end() ? std::string() : key_of(*nearest);
}

std::optional<std::string> text_of(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  return std::nullopt;
}

// Several values, or one; nothing when it is of another kind.
std::optional<std::vector<std::string>> values_of(const toml::node& node) {
  std::vector<std::string> values;
  const auto* const list = node.as_array();
  if (list == nullptr) {
    auto text = text_of(node);
    if (!text) return std::nullopt;
    values.push_back(std::move(*text));
    return values;
  }
  for (const auto& item : *list) {
    auto text = text_of(item);
    if (!text) return std::nullopt;
    values.push_back(std::move(*text));
  }
  return values;
}

// Nothing, with a problem, when it is no TOML.
std::optional<toml::table> parse_toml(
    const std::string& file, std::string_view text, std::vector<std::string>& problems) {
  try {
    auto parsed = toml::parse(text);
    if (parsed) return std::move(parsed).table();
    const auto& begin = parsed.error().source().begin;
    problems.push_back(
        place_of(file, begin.line, begin.column) +
        "not valid TOML: " + std::string(parsed.error().description()));
  } catch (const std::invalid_argument& error) {
    problems.push_back(place_of(file, 1, 1) + "not valid TOML: " + error.what());
  }
  return std::nullopt;
}

ConfigItem item_at(const toml::key& name) {
  ConfigItem item;
  item.line = name.source().begin.line;
  item.column = name.source().begin.column;
  return item;
}

}  // namespace

std::string config_problem(
    const std::string& file, const ConfigItem& item, const std::string& problem) {
  return place_of(file, item.line, item.column) + problem;
}

ConfigFile parse_config(
    const std::string& file, std::string_view text, const std::vector<std::string>& known) {
  ConfigFile config;
  const auto table = parse_toml(file, text, config.problems);
  if (!table) return config;
  for (const auto& [name, node] : *table) {
    const std::string key(name.str());
    const auto option = std::find_if(
        known.begin(), known.end(), [&key](const std::string& one) { return key_of(one) == key; });
    auto item = item_at(name);
    if (option == known.end()) {
      config.problems.push_back(config_problem(
          file,
          item,
          "unknown key \"" + key + "\"; did you mean \"" + nearest_key(key, known) + "\"?"));
      continue;
    }
    auto values = values_of(node);
    if (!values) {
      config.problems.push_back(config_problem(
          file, item, key + ": must be a text, a whole number, true or false, or a list of them"));
      continue;
    }
    item.option = *option;
    item.values = std::move(*values);
    config.items.push_back(std::move(item));
  }
  std::sort(config.items.begin(), config.items.end(), [](const auto& one, const auto& other) {
    return std::pair(one.line, one.column) < std::pair(other.line, other.column);
  });
  return config;
}

}  // namespace ringcast::ringlog
