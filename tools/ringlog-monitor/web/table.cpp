// SPDX-License-Identifier: Apache-2.0
//
// Filter, sort, cut.
#include "tools/ringlog-monitor/web/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>

namespace ringcast::monitor {

namespace {

using tools::Json;
using Row = std::vector<Json>;

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string text_of(const Json& cell) {
  if (cell.is_string()) return cell.get<std::string>();
  return cell.is_null() ? std::string() : cell.dump();
}

struct Comparison {
  std::string_view sign;
  double number{0};
};

std::optional<Comparison> comparison_of(std::string_view text) {
  constexpr std::array<std::string_view, 5> signs = {">=", "<=", ">", "<", "="};
  const auto* const sign =
      std::find_if(signs.begin(), signs.end(), [&](auto one) { return text.starts_with(one); });
  if (sign == signs.end()) return std::nullopt;
  text.remove_prefix(sign->size());
  Comparison comparison{*sign};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), comparison.number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return comparison;
}

bool fits(const Comparison& comparison, const Json& cell) {
  if (!cell.is_number()) return false;
  const auto value = cell.get<double>();
  if (comparison.sign == ">") return value > comparison.number;
  if (comparison.sign == "<") return value < comparison.number;
  if (comparison.sign == ">=") return value >= comparison.number;
  if (comparison.sign == "<=") return value <= comparison.number;
  return value == comparison.number;
}

class Filter {
 public:
  /// `place` of the field, or the number of fields for all of them.
  Filter(const Table& table, std::size_t place, std::string_view text)
      : place_(place), text_(text) {
    const bool is_number = place < table.fields.size() && !table.fields[place].is_text;
    if (is_number) comparison_ = comparison_of(text);
  }

  [[nodiscard]] bool fits(const Row& row) const {
    if (text_.empty()) return true;
    if (place_ < row.size()) return fits(row[place_]);
    return std::any_of(row.begin(), row.end(), [&](const Json& cell) { return fits(cell); });
  }

 private:
  [[nodiscard]] bool fits(const Json& cell) const {
    if (comparison_) return monitor::fits(*comparison_, cell);
    return contains_text(text_of(cell), text_);
  }

  std::size_t place_;
  std::string_view text_;
  std::optional<Comparison> comparison_;
};

// The number of fields for the empty name.
Result<std::size_t> place_of(const Table& table, std::string_view name) {
  const auto found = std::find_if(
      table.fields.begin(), table.fields.end(), [&](const auto& one) { return one.name == name; });
  if (name.empty() || found != table.fields.end()) {
    return static_cast<std::size_t>(found - table.fields.begin());
  }
  std::string names;
  for (const auto& field : table.fields) {
    names += (names.empty() ? "" : ", ") + field.name;
  }
  return Error{
      Errc::invalid_argument, "no field \"" + std::string(name) + "\"; there are " + names};
}

bool is_less(const Json& one, const Json& other) {
  if (one.is_null() || other.is_null()) return one.is_null() && !other.is_null();
  if (one.is_number() && other.is_number()) return one.get<double>() < other.get<double>();
  return text_of(one) < text_of(other);
}

void sort_rows(std::vector<Row>& rows, std::size_t place, bool is_ascending) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& one, const Row& other) {
    return is_ascending ? is_less(one[place], other[place]) : is_less(other[place], one[place]);
  });
}

Json fields_json(const Table& table) {
  Json fields = Json::array();
  for (const auto& field : table.fields) {
    fields.push_back({{"name", field.name}, {"kind", field.is_text ? "text" : "number"}});
  }
  return fields;
}

}  // namespace

bool contains_text(std::string_view whole, std::string_view text) {
  const auto is_same = [](char one, char other) { return lower(one) == lower(other); };
  return std::search(whole.begin(), whole.end(), text.begin(), text.end(), is_same) !=
             whole.end() ||
         text.empty();
}

Result<Json> answer(Table table, const TableQuery& query) {
  const auto where = place_of(table, query.field);
  if (!where) return where.error();
  const auto order = place_of(table, query.sort);
  if (!order) return order.error();
  const Filter filter(table, *where, query.text);
  auto& rows = table.rows;
  rows.erase(
      std::remove_if(rows.begin(), rows.end(), [&](const Row& row) { return !filter.fits(row); }),
      rows.end());
  if (*order < table.fields.size()) sort_rows(rows, *order, query.is_ascending);
  Json list = Json::array();
  for (std::size_t i = 0; i < std::min(rows.size(), query.limit); ++i) {
    Json row = Json::object();
    for (std::size_t j = 0; j < table.fields.size(); ++j) {
      row[table.fields[j].name] = std::move(rows[i][j]);
    }
    list.push_back(std::move(row));
  }
  return Json{
      {"exact", table.is_exact},
      {"known", table.known},
      {"matching", rows.size()},
      {"fields", fields_json(table)},
      {"rows", std::move(list)}};
}

}  // namespace ringcast::monitor
