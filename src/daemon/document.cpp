// SPDX-License-Identifier: Apache-2.0
#include "daemon/document.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

// The parser asserts where it should report, at `[=]` for example; a typing error must not end
// a daemon.
constexpr void require_of_parser(bool holds) {
  if (!holds) throw std::invalid_argument("no key where one must be");
}

}  // namespace

#define TOML_ASSERT(condition) require_of_parser(static_cast<bool>(condition))
#include <toml++/toml.h>

namespace ringcast {
namespace {

FilePosition position(const toml::source_position& source) {
  return FilePosition{.line = source.line, .column = source.column};
}

ConfigValue::Kind kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return ConfigValue::Kind::text;
    case toml::node_type::integer:
      return ConfigValue::Kind::integer;
    case toml::node_type::boolean:
      return ConfigValue::Kind::boolean;
    case toml::node_type::floating_point:
      return ConfigValue::Kind::number;
    case toml::node_type::array:
      return ConfigValue::Kind::list;
    case toml::node_type::table:
      return ConfigValue::Kind::table;
    case toml::node_type::none:
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return ConfigValue::Kind::date;
  }
  return ConfigValue::Kind::date;
}

ConfigEntry to_entry(const toml::key& key, const toml::node& node) {
  ConfigEntry entry;
  entry.key = std::string(key.str());
  entry.at = position(key.source().begin);
  entry.value.kind = kind_of(node);
  entry.value.at = position(node.source().begin);
  if (const auto* text = node.as_string(); text != nullptr) entry.value.text = text->get();
  if (const auto* integer = node.as_integer(); integer != nullptr) {
    entry.value.integer = integer->get();
  }
  return entry;
}

ConfigTable to_table(const toml::key& key, const toml::table& source, bool repeated) {
  ConfigTable table;
  table.name = std::string(key.str());
  table.repeated = repeated;
  table.at = position(source.source().begin);
  for (auto&& [name, node] : source) {
    table.entries.push_back(to_entry(name, node));
  }
  std::sort(
      table.entries.begin(), table.entries.end(), [](const ConfigEntry& a, const ConfigEntry& b) {
        return a.at < b.at;
      });
  return table;
}

bool holds_tables(const toml::array& array) {
  return !array.empty() && std::all_of(array.begin(), array.end(), [](const toml::node& element) {
    return element.is_table();
  });
}

}  // namespace

std::string describe(std::string_view file, const ConfigProblem& problem) {
  std::string text(file);
  if (problem.at.line != 0) {
    text += ":" + std::to_string(problem.at.line) + ":" + std::to_string(problem.at.column);
  }
  text += ": " + problem.problem;
  if (!problem.remedy.empty()) text += "; " + problem.remedy;
  return text;
}

std::string_view to_string(ConfigValue::Kind kind) {
  switch (kind) {
    case ConfigValue::Kind::text:
      return "a string";
    case ConfigValue::Kind::integer:
      return "an integer";
    case ConfigValue::Kind::boolean:
      return "a boolean";
    case ConfigValue::Kind::number:
      return "a number with a fraction";
    case ConfigValue::Kind::date:
      return "a date";
    case ConfigValue::Kind::list:
      return "a list";
    case ConfigValue::Kind::table:
      return "a table";
  }
  return "a value";
}

namespace {

// The parser goes as deep as a dotted key has parts, on the stack.
std::optional<ConfigProblem> too_long_line(std::string_view text) {
  constexpr std::size_t line_bytes_max = 16384;
  std::uint32_t line = 1;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > line_bytes_max) {
      return ConfigProblem{
          .at = {.line = line, .column = 1},
          .problem = "a line of " + std::to_string(end) + " bytes",
          .remedy = "keep lines below " + std::to_string(line_bytes_max) + " bytes"};
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
  }
  return std::nullopt;
}

/// Where the string that begins at `at` ends; nothing: it does not, which the parser tells.
std::optional<std::size_t> end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string many(3, quote);
  const bool is_long = text.substr(at, 3) == many;
  at += is_long ? 3 : 1;
  while (at < text.size()) {
    if (text[at] == '\\' && quote == '"') {
      at += 2;
    } else if (is_long && text.substr(at, 3) == many) {
      // Two more may belong to the string.
      const auto end = std::min(text.find_first_not_of(quote, at), text.size());
      return std::min(end, at + 5);
    } else if (!is_long && text[at] == quote) {
      return at + 1;
    } else if (!is_long && text[at] == '\n') {
      return std::nullopt;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

/// TOML is ASCII but for strings and comments. toml++ 3.3 does not refuse all the rest: what a
/// letter like U+00E3 does where a space may stand is undefined there.
std::optional<ConfigProblem> stray_letter(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // editors may begin with it
  std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (at < text.size()) {
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (text[at] == '"' || text[at] == '\'') {
      const auto end = end_of_string(text, at);
      if (!end) return std::nullopt;
      at = *end;
    } else if (static_cast<unsigned char>(text[at]) >= 0x80) {
      const auto before = text.substr(0, at);
      const auto lines = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
      const auto line_begin = before.find_last_of('\n') + 1;  // npos + 1 is 0
      return ConfigProblem{
          .at = {.line = lines + 1, .column = static_cast<std::uint32_t>(at - line_begin) + 1},
          .problem = "a letter outside ASCII that is in no string and no comment",
          .remedy = "put values into quotes; names of options are ASCII"};
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

/// The line at whose end the parser gives up, for want of a better place.
std::uint32_t line_of_failure(std::string_view text) {
  std::uint32_t line = 1;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    try {
      (void)toml::parse(text.substr(0, end));
    } catch (const std::invalid_argument&) {
      break;
    }
    ++line;
  }
  return line;
}

std::optional<toml::table> parse(std::string_view text, std::vector<ConfigProblem>& problems) {
  constexpr const char* remedy = "correct the syntax here; conf/ringcast.toml shows every option";
  try {
    auto parsed = toml::parse(text);
    if (parsed) return std::move(parsed).table();
    problems.push_back(ConfigProblem{
        .at = position(parsed.error().source().begin),
        .problem = "not valid TOML: " + std::string(parsed.error().description()),
        .remedy = remedy});
  } catch (const std::invalid_argument& error) {
    problems.push_back(ConfigProblem{
        .at = {.line = line_of_failure(text), .column = 1},
        .problem = std::string("not valid TOML: ") + error.what(),
        .remedy = remedy});
  }
  return std::nullopt;
}

}  // namespace

ConfigDocument parse_document(std::string_view text) {
  ConfigDocument document;
  if (const auto problem = too_long_line(text)) {
    document.problems.push_back(*problem);
    return document;
  }
  if (const auto problem = stray_letter(text)) {
    document.problems.push_back(*problem);
    return document;
  }
  const auto parsed = parse(text, document.problems);
  if (!parsed) return document;
  for (auto&& [key, node] : *parsed) {
    if (const auto* table = node.as_table(); table != nullptr) {
      document.tables.push_back(to_table(key, *table, false));
      continue;
    }
    const auto* array = node.as_array();
    if (array == nullptr || !holds_tables(*array)) {
      document.loose.push_back(to_entry(key, node));
      continue;
    }
    for (const auto& element : *array) {
      document.tables.push_back(to_table(key, *element.as_table(), true));
    }
  }
  std::sort(
      document.tables.begin(),
      document.tables.end(),
      [](const ConfigTable& a, const ConfigTable& b) { return a.at < b.at; });
  return document;
}

}  // namespace ringcast
