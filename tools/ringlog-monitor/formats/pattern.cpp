// SPDX-License-Identifier: Apache-2.0
//
// Matching without going back.
#include "tools/ringlog-monitor/formats/pattern.hpp"

#include <algorithm>

namespace ringcast::monitor {

namespace {

constexpr std::size_t parts_max = 64;

// The next occurrence of `literal` that does not begin behind a backslash.
std::size_t find_unescaped(std::string_view text, std::string_view literal) {
  std::size_t at = text.find(literal);
  std::size_t from = 0;
  while (at != std::string_view::npos) {
    const auto slash = text.substr(0, at).find('\\', from);
    if (slash == std::string_view::npos) return at;
    from = slash + 2;
    if (from > at) at = text.find(literal, from);
  }
  return at;
}

}  // namespace

void Pattern::add(std::string_view literal) {
  (parts_.empty() ? head_ : parts_.back().literal) += literal;
}

void Pattern::add(Field field) {
  // %U%q and $uri$is_args$args: a page loses its query anyhow.
  const bool follows_page =
      !parts_.empty() && parts_.back().field == Field::page && parts_.back().literal.empty();
  if (field == Field::query && follows_page) return;
  parts_.push_back(Part{field, {}});
}

Result<void> Pattern::check(std::string_view name) const {
  const std::string what = "log format \"" + std::string(name) + "\": ";
  if (parts_.empty()) return Error{Errc::invalid_argument, what + "it holds no field"};
  if (parts_.size() > parts_max) {
    return Error{
        Errc::invalid_argument,
        what + "more than " + std::to_string(parts_max) + " fields; leave some out"};
  }
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    if (!parts_[i].literal.empty()) continue;
    return Error{
        Errc::invalid_argument,
        what + "nothing stands between field " + std::to_string(i + 1) +
            " and the next; put a blank or another separator there"};
  }
  const bool is_useful = std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return part.field != Field::ignored && part.field != Field::query;
  });
  if (is_useful) return {};
  return Error{Errc::invalid_argument, what + "no field of it is of use to the monitor"};
}

bool Pattern::match(std::string_view line, Request& request) const {
  if (!line.starts_with(head_)) return false;
  line.remove_prefix(head_.size());
  bool is_quoted = head_.ends_with('"');
  for (const auto& part : parts_) {
    std::size_t end = line.size();
    if (!part.literal.empty()) {
      end = is_quoted ? find_unescaped(line, part.literal) : line.find(part.literal);
      if (end == std::string_view::npos) return false;
    }
    if (!assign(request, part.field, line.substr(0, end))) return false;
    line.remove_prefix(end + part.literal.size());
    is_quoted = part.literal.ends_with('"');
  }
  return line.empty();
}

}  // namespace ringcast::monitor
