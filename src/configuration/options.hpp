// SPDX-License-Identifier: Apache-2.0
//
// What every reader of a configuration does the same way: the shape of an option, values with
// units, and the complaints about what does not fit, each with its place and its remedy. It
// knows no option by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "configuration/document.hpp"

namespace ringcast {

enum class OptionKind : std::uint8_t {
  text,
  count,     ///< an integer
  bytes,     ///< an integer, or "64MiB", "512KiB", "1GiB"
  duration,  ///< "400ms", "2s", "500us", "1m"; held in nanoseconds
  flag,      ///< true or false; held as 1 or 0
  texts,     ///< a list of strings; one string is a list of one
};

/// An option but for where its value goes. The bounds are those of a number.
struct OptionShape {
  std::string_view section;
  std::string_view key;
  OptionKind kind{OptionKind::text};
  std::uint64_t min{0};
  std::uint64_t max{0};
};

/// The problems found so far.
class Complaints {
 public:
  void complain(FilePosition at, std::string problem, std::string remedy);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  void add(std::vector<ConfigProblem> problems);
  /// All, in file order. Leaves none behind.
  std::vector<ConfigProblem> take();

 private:
  std::vector<ConfigProblem> problems_;
};

/// The known word nearest to `word` by edit distance, however far that is; empty when none is
/// known.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// Nanoseconds of "400ms"; nothing when it is no duration.
std::optional<std::uint64_t> parse_duration(std::string_view text);
/// Bytes of "64MiB"; nothing when it is no size.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// The inverse of the two above, in the largest unit that divides it.
std::string show_value(OptionKind kind, std::uint64_t value);

/// In quotation marks, cut when it is very long.
std::string quoted(std::string_view text);
/// "section.key".
std::string qualified(std::string_view section, std::string_view key);

/// Of anything with section and key.
template <class Known>
const Known* find_option(
    const std::vector<Known>& known, std::string_view section, std::string_view key) {
  for (const auto& option : known) {
    if (option.section == section && option.key == key) return &option;
  }
  return nullptr;
}

/// The number of a count, size, duration or flag; nothing, and a complaint, when there is none
/// or it is out of range.
std::optional<std::uint64_t> read_number(
    const OptionShape& shape, const ConfigEntry& entry, Complaints& complaints);
void complain_of_type(const OptionShape& shape, const ConfigEntry& entry, Complaints& complaints);
/// A key that its table does not know; names the nearest that it does, or the right table.
void complain_of_key(
    const ConfigTable& table,
    const ConfigEntry& entry,
    const std::vector<OptionShape>& known,
    Complaints& complaints);
/// A key above the first table.
void complain_of_loose_key(
    const ConfigEntry& entry, const std::vector<OptionShape>& known, Complaints& complaints);
void complain_of_table(
    const ConfigTable& table, const std::vector<OptionShape>& known, Complaints& complaints);

}  // namespace ringcast
