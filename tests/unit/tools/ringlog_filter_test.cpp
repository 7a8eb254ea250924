// SPDX-License-Identifier: Apache-2.0
//
// Which lines are sent, and what of them.
#include <catch2/catch.hpp>

#include "tools/ringlog-publish/filter.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

Filter filter_of(const FilterOptions& options) {
  auto filter = Filter::make(options);
  REQUIRE(filter);
  return std::move(filter).value();
}

std::string applied(Filter& filter, const std::string& line) {
  const auto result = filter.apply(line);
  return result ? std::string(*result) : "<none>";
}

std::string problem_of(const FilterOptions& options) {
  const auto filter = Filter::make(options);
  REQUIRE_FALSE(filter);
  CHECK(filter.error().code == Errc::invalid_argument);
  return filter.error().message;
}

bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without rules every line goes as it is, uncopied", "[ringlog]") {
  auto filter = filter_of({});
  const std::string line("any\0thing\xff", 10);
  const auto result = filter.apply(line);
  REQUIRE(result);
  CHECK(result->data() == line.data());
  CHECK(filter.fingerprint() == 0);
}

TEST_CASE("a line goes when one include matches and no exclude does", "[ringlog]") {
  auto filter = filter_of({{"GET", "POST"}, {"/health", "^-"}, {}, 1});
  CHECK(applied(filter, "GET /") == "GET /");
  CHECK(applied(filter, "POST /form") == "POST /form");
  CHECK(applied(filter, "PUT /") == "<none>");
  CHECK(applied(filter, "GET /health") == "<none>");
  CHECK(applied(filter, "- GET") == "<none>");
  CHECK(filter.counters().left_out == 3);
}

TEST_CASE("replacements are made in order, everywhere in the line", "[ringlog]") {
  auto filter = filter_of(
      {{},
       {},
       {R"(/(\d+\.\d+)\.\d+\.\d+/\1.x.x/)", "|token=[^& ]+|token=***|", R"(#a\#b#\\#)"},
       1});
  CHECK(applied(filter, "10.1.2.3 10.4.5.6 /?token=abc&x") == "10.1.x.x 10.4.x.x /?token=***&x");
  CHECK(applied(filter, "a#b") == "\\");
  CHECK(applied(filter, "nothing") == "nothing");
  CHECK(filter.counters().changed == 2);
}

TEST_CASE("bytes that are no text are searched too", "[ringlog]") {
  auto filter = filter_of({{}, {}, {"/pass=.*/pass=?/"}, 1});
  CHECK(applied(filter, "\xff\xfe pass=\xff\x80secret") == "\xff\xfe pass=?");
}

TEST_CASE("a sample depends on the line alone and is about one in so many", "[ringlog]") {
  auto filter = filter_of({{}, {}, {}, 10});
  auto again = filter_of({{}, {}, {}, 10});
  int sent = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto line = "line " + std::to_string(i);
    const auto result = applied(filter, line);
    CHECK(result == applied(again, line));
    if (result == line) ++sent;
  }
  CHECK(sent > 900);
  CHECK(sent < 1100);
  CHECK(filter.counters().sampled_out == 10000U - static_cast<unsigned>(sent));
}

TEST_CASE("a wrong rule is refused with its place", "[ringlog]") {
  CHECK(names(problem_of({{"ab[c"}, {}, {}, 1}), "at character 3"));
  CHECK(names(problem_of({{}, {"(a"}, {}, 1}), "missing )"));
  CHECK(names(problem_of({{}, {}, {"/(a/b/"}, 1}), "at character 2"));
  CHECK(names(problem_of({{}, {}, {"/a/\\1/"}, 1}), "at character 4"));
  for (const auto* const rule : {"", "abc", "/a/b", "/a", "/a/b/c", "\\a\\b\\", "/a/b\nc/"}) {
    CHECK_FALSE(problem_of({{}, {}, {rule}, 1}).empty());
  }
  CHECK_FALSE(problem_of({{}, {}, {}, 0}).empty());
}

TEST_CASE("other rules have another fingerprint", "[ringlog]") {
  CHECK(filter_of({{"a"}, {}, {}, 1}).fingerprint() != filter_of({{}, {"a"}, {}, 1}).fingerprint());
  CHECK(filter_of({{}, {}, {}, 2}).fingerprint() != 0);
}
