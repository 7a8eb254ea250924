// SPDX-License-Identifier: Apache-2.0
//
// Durations on the command line.
#include "tools/common/durations.hpp"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using ringcast::tools::duration_max;
using ringcast::tools::parse_duration;
using ringcast::tools::to_string;

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(parse_duration("500ms").value() == 500ms);
  CHECK(parse_duration("2s").value() == 2s);
  CHECK(parse_duration("1m").value() == 1min);
  CHECK(parse_duration("1h").value() == 1h);
  CHECK(parse_duration("0s").value() == 0ms);
  CHECK(parse_duration("24000h").value() == duration_max);
}

TEST_CASE("what is no duration is refused with the forms that are") {
  for (const auto* text :
       {"", "5", "s", "ms", "-1s", "+1s", "1.5s", "2 s", " 2s", "2s ", "2S", "2sec"}) {
    INFO('"' << text << '"');
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ringcast::Errc::invalid_argument);
    CHECK(parsed.error().message.find("like 500ms, 2s, 1m or 1h") != std::string::npos);
  }
}

TEST_CASE("a duration never overflows") {
  for (const auto* text : {"24001h", "9223372036854775807h", "9223372036854775807ms"}) {
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.find("the longest is 24000h") != std::string::npos);
  }
  CHECK_FALSE(parse_duration("9223372036854775808s").ok());
}

TEST_CASE("a duration written is the same when read") {
  for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 1500ms, 60000ms, 90000ms, 3600000ms}) {
    CHECK(parse_duration(to_string(duration)).value() == duration);
  }
  CHECK(to_string(90s) == "90s");
  CHECK(to_string(2min) == "2m");
}
