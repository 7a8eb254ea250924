// SPDX-License-Identifier: Apache-2.0
//
// PathTemplate: the path of a file sink, with strftime's % and the fields {group},
// {publisher}, {daemon} and {vhost}. What stands in for a field comes from the network: it
// becomes one harmless word, so that a path has exactly the directories of its template.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-write/sinks/log_time.hpp"

namespace ringcast::ringlog {

struct PathFields {
  std::string_view group;
  std::string_view publisher;
  std::string_view daemon;
  std::string_view vhost;
};

/// `text` as part of one component: letters, digits, "-", "_", ":" and "." as they are, all other
/// bytes as %XX, also a "." where it would lead the word or end it as a compressed file's; an
/// empty word is "%". Different texts make different words. Long ones are cut by path().
std::string harmless_word(std::string_view text);

/// For lines beyond a sink's limit of names; no harmless_word.
inline constexpr std::string_view further_names = "%more";
/// For marker lines, which have no publisher; no harmless_word.
inline constexpr std::string_view marker_name = "%markers";

class PathTemplate {
 public:
  /// Errors: invalid_argument, with the remedy.
  static Result<PathTemplate> parse(std::string_view text, bool is_utc);

  /// The words that the fields of this template become, joined; empty when there are none.
  [[nodiscard]] std::string words(const PathFields& fields) const;
  /// The path for words() or, when `all` is given, with that in the place of every word.
  std::string path(
      std::int64_t time_ms, const PathFields& fields, std::optional<std::string_view> all);
  /// All that depends on time, joined: as long as it is the same, so are the paths.
  std::string period(std::int64_t time_ms);
  [[nodiscard]] bool has_time() const { return has_time_; }
  [[nodiscard]] bool has_fields() const { return has_fields_; }
  [[nodiscard]] bool has_vhost() const { return has_vhost_; }

 private:
  enum class Field { none, group, publisher, daemon, vhost };
  struct Part {
    std::string text;  ///< not for strftime when it has no %
    Field field{Field::none};
    std::optional<TimeFormat> time;
  };

  static std::optional<Field> field_of(std::string_view name);
  static std::string_view value_of(Field field, const PathFields& fields);
  void add_text(std::string text, bool is_utc);

  std::vector<Part> parts_;
  bool has_time_{false};
  bool has_fields_{false};
  bool has_vhost_{false};
};

}  // namespace ringcast::ringlog
