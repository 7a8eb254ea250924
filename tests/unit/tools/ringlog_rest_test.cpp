// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tools/ringlog-publish/rest.hpp"

namespace ringcast::ringlog {
namespace {

using namespace std::chrono_literals;

const Rest::Instant start = Rest::Instant{} + 1h;

TEST_CASE("a source rests for as long as it may when little comes", "[ringlog]") {
  Rest rest(100ms);
  CHECK_FALSE(rest.is_on(start));
  rest.begin(0.01, start);  // the first for an hour
  CHECK(rest.is_on(start));
  CHECK(rest.end(start) == start + 100ms);
  CHECK(rest.is_on(start + 99ms));
  CHECK_FALSE(rest.is_on(start + 100ms));
  CHECK_FALSE(rest.end(start + 100ms).has_value());
}

TEST_CASE("a source that found nothing waits for what comes", "[ringlog]") {
  Rest rest(100ms);
  rest.begin(0, start);
  CHECK_FALSE(rest.is_on(start));
}

TEST_CASE(
    "a rest leaves three quarters of the kernel's buffer free at the rate seen", "[ringlog]") {
  Rest rest(100ms);
  rest.begin(0.01, start);
  rest.begin(0.5, start + 100ms);  // a quarter would have come in 50 ms
  CHECK(rest.end(start + 100ms) == start + 150ms);
  rest.begin(0.25, start + 150ms);
  CHECK(rest.end(start + 150ms) == start + 200ms);
}

TEST_CASE("a source that can hardly keep up does not rest", "[ringlog]") {
  Rest rest(100ms);
  rest.begin(0.01, start);
  rest.cancel();
  rest.begin(0.9, start + 5ms);
  CHECK_FALSE(rest.is_on(start + 5ms));
}

TEST_CASE("a source that is told to rest for no time never does", "[ringlog]") {
  Rest rest(0ms);
  rest.begin(0.01, start);
  CHECK_FALSE(rest.is_on(start));
}

TEST_CASE("a rest that is cancelled is over", "[ringlog]") {
  Rest rest(100ms);
  rest.begin(0.01, start);
  rest.cancel();
  CHECK_FALSE(rest.is_on(start));
}

TEST_CASE("the earlier of two moments is the one that comes", "[ringlog]") {
  const std::optional<Rest::Instant> never;
  const std::optional soon(start);
  CHECK(earlier(never, never) == never);
  CHECK(earlier(never, soon) == soon);
  CHECK(earlier(soon, never) == soon);
  CHECK(earlier(soon, std::optional(start + 1ms)) == soon);
}

}  // namespace
}  // namespace ringcast::ringlog
