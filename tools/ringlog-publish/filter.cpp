// SPDX-License-Identifier: Apache-2.0
//
// RE2 on the lines.
#include "tools/ringlog-publish/filter.hpp"

#include <algorithm>
#include <cctype>
#include <re2/re2.h>
#include <utility>
#include <xxhash.h>

namespace ringcast::ringlog {

namespace {

using Pattern = std::unique_ptr<re2::RE2>;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

Error wrong(const std::string& text, std::size_t at, std::string what) {
  return Error{
      Errc::invalid_argument,
      "\"" + text + "\": at character " + std::to_string(at + 1) + ": " + std::move(what)};
}

// `pattern` stands at `offset` in `whole`, which is what the user wrote.
Result<Pattern> compiled(const std::string& whole, std::string_view pattern, std::size_t offset) {
  re2::RE2::Options options(re2::RE2::Latin1);  // bytes
  options.set_log_errors(false);
  options.set_never_capture(false);
  auto regex = std::make_unique<re2::RE2>(piece(pattern), options);
  if (regex->ok()) return regex;
  const auto& part = regex->error_arg();
  const auto place = part.empty() ? std::string_view::npos : pattern.find(part);
  return wrong(
      whole,
      offset + (place == std::string_view::npos ? 0 : place),
      regex->error() + "; see https://github.com/google/re2/wiki/Syntax");
}

Result<void> compile_all(
    const std::vector<std::string>& patterns, std::vector<Pattern>& compiled_patterns) {
  for (const auto& pattern : patterns) {
    auto regex = compiled(pattern, pattern, 0);
    if (!regex) return regex.error();
    compiled_patterns.push_back(std::move(regex).value());
  }
  return {};
}

bool any_matches(const std::vector<Pattern>& patterns, std::string_view line) {
  return std::any_of(patterns.begin(), patterns.end(), [line](const Pattern& pattern) {
    return pattern->Match(piece(line), 0, line.size(), re2::RE2::UNANCHORED, nullptr, 0);
  });
}

// From `begin` up to the next delimiter that has no backslash before it, which is then taken
// out. Returns the place of the delimiter, or npos.
std::size_t take_part(const std::string& rule, std::size_t begin, std::string& part) {
  const char delimiter = rule.front();
  for (auto i = begin; i < rule.size(); ++i) {
    if (rule[i] == delimiter) return i;
    if (rule[i] == '\\' && i + 1 < rule.size()) {
      if (rule[i + 1] != delimiter) part += rule[i];
      ++i;
    }
    part += rule[i];
  }
  return std::string::npos;
}

std::uint64_t fingerprint_of(const FilterOptions& options) {
  if (options == FilterOptions{}) return 0;
  std::string text = std::to_string(options.sample);
  for (const auto* list : {&options.include, &options.exclude, &options.replace}) {
    text += '\n' + std::to_string(list->size());
    for (const auto& item : *list) {
      text += '\n' + item;
    }
  }
  return std::max<std::uint64_t>(XXH3_64bits(text.data(), text.size()), 1);
}

}  // namespace

Filter::Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::make(const FilterOptions& options) {
  Filter filter;
  if (auto done = compile_all(options.include, filter.include_); !done) {
    return done.error();
  }
  if (auto done = compile_all(options.exclude, filter.exclude_); !done) {
    return done.error();
  }
  for (const auto& rule : options.replace) {
    if (auto added = filter.add_replacement(rule); !added) return added.error();
  }
  if (options.sample == 0) {
    return Error{Errc::invalid_argument, "--sample 0: give how many lines one stands for, from 1"};
  }
  filter.sample_ = options.sample;
  filter.fingerprint_ = fingerprint_of(options);
  return filter;
}

Result<void> Filter::add_replacement(const std::string& rule) {
  constexpr auto form = "write /PATTERN/TEXT/, with any punctuation for the slash";
  if (rule.empty() || std::ispunct(static_cast<unsigned char>(rule.front())) == 0 ||
      rule.front() == '\\') {
    return wrong(rule, 0, form);
  }
  std::string pattern;
  Replacement replacement;
  const auto middle = take_part(rule, 1, pattern);
  const auto end =
      middle == std::string::npos ? middle : take_part(rule, middle + 1, replacement.text);
  if (end != rule.size() - 1) {
    const auto at = std::min(end, rule.size() - 1);
    return wrong(rule, at, std::string("no end, or more behind it; ") + form);
  }
  auto regex = compiled(rule, pattern, 1);
  if (!regex) return regex.error();
  std::string problem;
  if (!(*regex)->CheckRewriteString(replacement.text, &problem)) {
    return wrong(rule, middle + 1, problem);
  }
  if (replacement.text.find('\n') != std::string::npos) {
    return wrong(rule, middle + 1, "a line cannot hold a newline");
  }
  replacement.pattern = std::move(regex).value();
  replacements_.push_back(std::move(replacement));
  return {};
}

std::optional<std::string_view> Filter::apply(std::string_view line) {
  if (fingerprint_ == 0) return line;
  if ((!include_.empty() && !any_matches(include_, line)) || any_matches(exclude_, line)) {
    ++counters_.left_out;
    return std::nullopt;
  }
  if (sample_ > 1 && XXH3_64bits(line.data(), line.size()) % sample_ != 0) {
    ++counters_.sampled_out;
    return std::nullopt;
  }
  return replaced(line);
}

std::string_view Filter::replaced(std::string_view line) {
  auto result = line;
  for (const auto& [pattern, text] : replacements_) {
    if (!pattern->Match(piece(result), 0, result.size(), re2::RE2::UNANCHORED, nullptr, 0)) {
      continue;
    }
    if (result.data() != scratch_.data()) scratch_.assign(result);
    (void)re2::RE2::GlobalReplace(&scratch_, *pattern, text);
    result = scratch_;
  }
  if (result.data() == scratch_.data() && result.data() != line.data()) ++counters_.changed;
  return result;
}

}  // namespace ringcast::ringlog
