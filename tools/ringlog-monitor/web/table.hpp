// SPDX-License-Identifier: Apache-2.0
//
// Table: rows of named fields, and what a reader wants of it: those that fit a filter, in some
// order, so many. Knows nothing of where the rows come from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/common/json.hpp"

namespace ringcast::monitor {

struct TableField {
  std::string name;
  bool is_text{false};  ///< compared by its letters; the others are numbers or null
};

struct Table {
  std::vector<TableField> fields;
  std::vector<std::vector<tools::Json>> rows;  ///< a cell for each field
  bool is_exact{true};                         ///< counts are exact and no key is missing
  std::size_t known{0};                        ///< rows there are; more than `rows` may hold
};

struct TableQuery {
  std::string text{};   ///< that a row must hold, in small or capital letters; empty: all rows
  std::string field{};  ///< where to look for it; empty: in every field
  std::string sort{};   ///< a field; empty: as the rows are
  bool is_ascending{false};
  std::size_t limit{100};
};

/// In a field of numbers, text may be a comparison: >100, >=100, <100, <=100, =100.
/// The answer has `fields` (name, kind), `rows` (objects), `matching`, `known`, `exact`.
/// Errors: invalid_argument, for a field that the table has not.
Result<tools::Json> answer(Table table, const TableQuery& query);

/// Whether `text` is in `whole`, in small or capital letters of ASCII.
bool contains_text(std::string_view whole, std::string_view text);

}  // namespace ringcast::monitor
