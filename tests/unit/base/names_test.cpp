// SPDX-License-Identifier: Apache-2.0
//
// Names: the grammar at its edges, and members that survive being shown and parsed.
#include "ringcast/names.hpp"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace ringcast {

TEST_CASE("a word is 1 to 64 of its characters and nothing else") {
  CHECK(is_valid_word("a"));
  CHECK(is_valid_word("A-z_0.9:"));
  CHECK(is_valid_word(std::string(64, 'x')));
  CHECK_FALSE(is_valid_word(""));
  CHECK_FALSE(is_valid_word(std::string(65, 'x')));
  for (int c = 0; c < 256; ++c) {
    const std::string text{'a', static_cast<char>(c)};
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool expected = alphanumeric || std::string_view("_.:-").find(text[1]) < 4;
    CAPTURE(c);
    CHECK(is_valid_word(text) == expected);
  }
}

TEST_CASE("a member is read back from how it is shown") {
  const MemberName member{.session = "pub", .daemon = "host-1"};
  CHECK(to_string(member) == "#pub#host-1");
  const auto parsed = parse_member(to_string(member));
  REQUIRE(parsed);
  CHECK(*parsed == member);
}

TEST_CASE("what is no member is refused with the rule it breaks") {
  for (const std::string_view text :
       {"", "#", "##", "#a", "a#b", "#a#", "##b", "#a#b#c", "#a b#c", "pub"}) {
    CAPTURE(text);
    const auto parsed = parse_member(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::invalid_argument);
    CHECK_FALSE(parsed.error().message.empty());
  }
}

TEST_CASE("one may join words only, but send to private groups too") {
  CHECK(check_group("news"));
  CHECK_FALSE(check_group("#pub#a"));
  CHECK(check_destination("news"));
  CHECK(check_destination("#pub#a"));
  CHECK_FALSE(check_destination("#pub"));
  CHECK_FALSE(check_destination(""));
}

}  // namespace ringcast
