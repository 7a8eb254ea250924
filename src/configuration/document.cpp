// SPDX-License-Identifier: Apache-2.0
#include "configuration/document.hpp"

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

ConfigValue to_value(const toml::node& node) {
  ConfigValue value;
  value.kind = kind_of(node);
  value.at = position(node.source().begin);
  if (const auto* text = node.as_string(); text != nullptr) value.text = text->get();
  if (const auto* integer = node.as_integer(); integer != nullptr) value.integer = integer->get();
  if (const auto* flag = node.as_boolean(); flag != nullptr) value.integer = flag->get() ? 1 : 0;
  return value;
}

ConfigEntry to_entry(const toml::key& key, const toml::node& node) {
  ConfigEntry entry;
  entry.key = std::string(key.str());
  entry.at = position(key.source().begin);
  entry.value = to_value(node);
  // One level: a list of lists has no use here.
  if (const auto* list = node.as_array(); list != nullptr) {
    for (const auto& item : *list) {
      entry.value.items.push_back(to_value(item));
    }
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

std::optional<toml::table> parse_as_it_is(
    std::string_view text, std::string_view reference, std::vector<ConfigProblem>& problems) {
  const auto remedy = "correct the syntax here; " + std::string(reference) + " shows every option";
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

/// With a question mark for each letter that is not ASCII; so columns stay what they are.
std::string in_ascii(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // editors may begin with it
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::string result;
  result.reserve(text.size());
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool continues_a_letter = (byte & 0xC0U) == 0x80U;
    if (!continues_a_letter) result += byte < 0x80U ? letter : '?';
  }
  return result;
}

/// Where toml++ 3.3 looks for a space and finds a letter like U+00E3, its behaviour is undefined.
/// That happens only in what is no TOML, and such a text is none in ASCII either: ask that first.
std::optional<toml::table> parse(
    std::string_view text, std::string_view reference, std::vector<ConfigProblem>& problems) {
  const std::string ascii = in_ascii(text);
  if (ascii != text && !parse_as_it_is(ascii, reference, problems)) return std::nullopt;
  return parse_as_it_is(text, reference, problems);
}

}  // namespace

ConfigDocument parse_document(std::string_view text, std::string_view reference) {
  ConfigDocument document;
  if (const auto problem = too_long_line(text)) {
    document.problems.push_back(*problem);
    return document;
  }
  const auto parsed = parse(text, reference, document.problems);
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
