// SPDX-License-Identifier: Apache-2.0
//
// Values with units, and what to say of those that do not fit.
#include "configuration/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "configuration/units.hpp"

namespace ringcast {
namespace {

using units::gib;
using units::kib;
using units::mib;
using units::ms;
using units::s;
using units::us;
constexpr std::size_t quoted_bytes_max = 120;

struct Unit {
  std::string_view name;
  std::uint64_t factor{1};
};

// Largest first: show_value takes the first that divides.
constexpr std::array duration_units{
    Unit{"d", std::uint64_t{24} * 3600 * s},
    Unit{"h", 3600 * s},
    Unit{"m", 60 * s},
    Unit{"s", s},
    Unit{"ms", ms},
    Unit{"us", us},
    Unit{"ns", 1}};
constexpr std::array byte_units{
    Unit{"TiB", 1024 * gib}, Unit{"GiB", gib}, Unit{"MiB", mib}, Unit{"KiB", kib}, Unit{"B", 1}};

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t value{0};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop == text.data()) return std::nullopt;
  auto name = text.substr(static_cast<std::size_t>(stop - text.data()));
  while (!name.empty() && name.front() == ' ') {
    name.remove_prefix(1);
  }
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return std::nullopt;
  if (value > std::numeric_limits<std::int64_t>::max() / unit->factor) return std::nullopt;
  return value * unit->factor;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

struct Expected {
  std::string_view what;
  std::string_view remedy;
};

Expected expected_of(OptionKind kind) {
  switch (kind) {
    case OptionKind::text:
      return {"a string", "put the value in quotes"};
    case OptionKind::count:
      return {"an integer", "write a whole number without quotes"};
    case OptionKind::bytes:
      return {"a size", "write bytes, or a string such as \"8MiB\""};
    case OptionKind::duration:
      return {"a duration", "write a string with its unit, such as \"400ms\" or \"2s\""};
    case OptionKind::flag:
      return {"true or false", "write true or false without quotes"};
    case OptionKind::texts:
      return {"a list of strings", "write [\"...\", \"...\"]"};
  }
  return {};
}

std::optional<std::uint64_t> number_of(OptionKind kind, const ConfigValue& value) {
  const bool is_text = value.kind == ConfigValue::Kind::text;
  if (kind == OptionKind::flag) {
    if (value.kind != ConfigValue::Kind::boolean) return std::nullopt;
    return static_cast<std::uint64_t>(value.integer);
  }
  if (kind == OptionKind::duration) return is_text ? parse_duration(value.text) : std::nullopt;
  if (kind == OptionKind::bytes && is_text) return parse_bytes(value.text);
  if (value.kind != ConfigValue::Kind::integer) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer, 0));
}

}  // namespace

void Complaints::complain(FilePosition at, std::string problem, std::string remedy) {
  problems_.push_back(
      ConfigProblem{.at = at, .problem = std::move(problem), .remedy = std::move(remedy)});
}

void Complaints::add(std::vector<ConfigProblem> problems) {
  std::move(problems.begin(), problems.end(), std::back_inserter(problems_));
}

std::vector<ConfigProblem> Complaints::take() {
  std::stable_sort(
      problems_.begin(), problems_.end(), [](const ConfigProblem& a, const ConfigProblem& b) {
        return a.at < b.at;
      });
  return std::exchange(problems_, {});
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
  return best == known.end() ? std::string() : *best;
}

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  return parse_with_unit(text, duration_units);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, byte_units);
}

std::string show_value(OptionKind kind, std::uint64_t value) {
  if (kind != OptionKind::duration && kind != OptionKind::bytes) return std::to_string(value);
  const std::span<const Unit> units = kind == OptionKind::duration
                                          ? std::span<const Unit>{duration_units}
                                          : std::span<const Unit>{byte_units};
  for (const auto& unit : units) {
    if (value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(value);
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, quoted_bytes_max)) + "\"";
}

std::string qualified(std::string_view section, std::string_view key) {
  return std::string(section) + "." + std::string(key);
}

std::optional<std::uint64_t> read_number(
    const OptionShape& shape, const ConfigEntry& entry, Complaints& complaints) {
  const auto value = number_of(shape.kind, entry.value);
  if (!value) {
    complain_of_type(shape, entry, complaints);
    return std::nullopt;
  }
  if (shape.kind == OptionKind::flag) return value;
  const bool negative = entry.value.kind == ConfigValue::Kind::integer && entry.value.integer < 0;
  if (!negative && *value >= shape.min && *value <= shape.max) return value;
  complaints.complain(
      entry.value.at,
      entry.key + " is out of range",
      "choose a value from " + show_value(shape.kind, shape.min) + " to " +
          show_value(shape.kind, shape.max));
  return std::nullopt;
}

void complain_of_type(const OptionShape& shape, const ConfigEntry& entry, Complaints& complaints) {
  const auto expected = expected_of(shape.kind);
  const auto found = entry.value.kind == ConfigValue::Kind::text
                         ? quoted(entry.value.text)
                         : std::string(to_string(entry.value.kind));
  complaints.complain(
      entry.value.at,
      entry.key + " is " + found + " and must be " + std::string(expected.what),
      std::string(expected.remedy));
}

void complain_of_key(
    const ConfigTable& table,
    const ConfigEntry& entry,
    const std::vector<OptionShape>& known,
    Complaints& complaints) {
  const auto problem = "unknown key " + quoted(entry.key) + " in [" + table.name + "]";
  std::vector<std::string> keys;
  for (const auto& option : known) {
    if (option.section == table.name) keys.emplace_back(option.key);
    if (option.key != entry.key) continue;
    complaints.complain(
        entry.at,
        problem,
        "did you mean " + quoted(option.key) + " in [" + std::string(option.section) +
            "]? move it there");
    return;
  }
  complaints.complain(
      entry.at,
      problem,
      "did you mean " + quoted(nearest(entry.key, keys)) + "? remove or rename it");
}

void complain_of_loose_key(
    const ConfigEntry& entry, const std::vector<OptionShape>& known, Complaints& complaints) {
  std::vector<std::string> keys;
  keys.reserve(known.size());
  for (const auto& option : known) {
    keys.emplace_back(option.key);
  }
  const auto best = nearest(entry.key, keys);
  const auto option = std::find_if(
      known.begin(), known.end(), [&](const OptionShape& shape) { return shape.key == best; });
  complaints.complain(
      entry.at,
      "unknown key " + quoted(entry.key) + " outside of any table",
      "did you mean " + quoted(option->key) + " in [" + std::string(option->section) +
          "]? move, rename or remove it");
}

void complain_of_table(
    const ConfigTable& table, const std::vector<OptionShape>& known, Complaints& complaints) {
  std::vector<std::string> sections;
  sections.reserve(known.size());
  for (const auto& option : known) {
    sections.emplace_back(option.section);
  }
  complaints.complain(
      table.at,
      "unknown table [" + table.name + "]",
      "did you mean [" + nearest(table.name, sections) + "]? remove or rename it");
}

}  // namespace ringcast
