// SPDX-License-Identifier: Apache-2.0
//
// Filter: which lines are sent, and what of them. A line goes out when one of the include
// patterns matches (or there is none), no exclude pattern does, and it is in the sample; then
// every replacement is made in it, in the order given. A line left out takes no sequence
// number. Patterns are RE2's, on bytes: a line need not be valid text. What happens to a line
// depends on nothing but the line, so that one read again fares as it did before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

namespace re2 {
class RE2;
}

namespace ringcast::ringlog {

struct FilterOptions {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  /// "/PATTERN/TEXT/", with any punctuation in the place of the slash. \1 to \9 in TEXT are
  /// the pattern's groups, \0 is all of the match.
  std::vector<std::string> replace;
  /// One line in so many, chosen by a hash of the line. 1: all.
  std::uint64_t sample{1};

  bool operator==(const FilterOptions&) const = default;
};

struct FilterCounters {
  std::uint64_t left_out{0};  ///< by include or exclude
  std::uint64_t sampled_out{0};
  std::uint64_t changed{0};  ///< lines in which something was replaced
};

class Filter {
 public:
  /// Errors: invalid_argument, with the rule, the place in it and what is wrong there.
  static Result<Filter> make(const FilterOptions& options);
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  /// The line as it is to be sent, valid until the next call and as long as `line`; nothing
  /// when it is not to be sent.
  std::optional<std::string_view> apply(std::string_view line);

  [[nodiscard]] const FilterCounters& counters() const { return counters_; }
  /// Tells one set of rules from another; 0: no rules.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  struct Replacement {
    std::unique_ptr<re2::RE2> pattern;
    std::string text;
  };

  Filter();
  Result<void> add_replacement(const std::string& rule);
  std::string_view replaced(std::string_view line);

  std::vector<std::unique_ptr<re2::RE2>> include_;
  std::vector<std::unique_ptr<re2::RE2>> exclude_;
  std::vector<Replacement> replacements_;
  std::uint64_t sample_{1};
  std::uint64_t fingerprint_{0};
  std::string scratch_;
  FilterCounters counters_;
};

}  // namespace ringcast::ringlog
